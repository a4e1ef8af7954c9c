package kms_test

import (
	"image/color"
	"testing"

	"github.com/gemtool/gemtool/drm/drmtest"
)

// TestExample passes if the package's example does what it says.
func TestExample(t *testing.T) {
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	for _, driver := range kmsDrivers {
		t.Run(driver, func(t *testing.T) {
			path := drmtest.RequireDevice(t, driver).Path()
			if err := fillDisplay(t.Context(), path, color.White); err != nil {
				t.Error(err)
			}
		})
	}
}
