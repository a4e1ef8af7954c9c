//go:build !linux

package kms

import (
	"context"

	"github.com/gemtool/gemtool/drm"
)

func waitFence(context.Context, int) error { return drm.ErrNotSupported }
