//go:build !linux

package kms

import (
	"context"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/ioctl"
)

func waitFence(context.Context, *ioctl.FD) error { return drm.ErrNotSupported }
