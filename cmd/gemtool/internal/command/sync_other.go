//go:build !linux

package command

import (
	"errors"

	"github.com/gemtool/gemtool/drm/ioctl"
)

func syncDescriptors(int) ([]int, error) { return nil, errors.ErrUnsupported }

func takeDescriptor(int, int) (*ioctl.FD, error) { return nil, errors.ErrUnsupported }
