//go:build !linux

package drm

import "context"

func watch(context.Context, func(Uevent) bool) error { return ErrNotSupported }
