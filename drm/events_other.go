//go:build !linux

package drm

import "context"

type eventReader struct{}

func (d *Device) newEventReader(context.Context) (*eventReader, error) { return nil, ErrNotSupported }

func (r *eventReader) close()               {}
func (r *eventReader) next() (Event, error) { return Event{}, ErrNotSupported }
