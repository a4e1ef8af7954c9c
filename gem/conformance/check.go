package conformance

import (
	"errors"

	"github.com/gemtool/gemtool/drm"
)

// wantErr reports an error that does not match want; nil wants success.
func wantErr(t T, what string, err, want error) {
	t.Helper()
	switch {
	case want == nil && err != nil:
		t.Errorf("%s: %v, want success", what, err)
	case want != nil && err == nil:
		t.Errorf("%s: success, want %v", what, want)
	case !errors.Is(err, want):
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// createDumb makes a dumb buffer that goes with the case.
func createDumb(t T, dev *drm.Device, width, height, bpp int) drm.Dumb {
	t.Helper()
	b, err := dev.CreateDumb(width, height, bpp)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if err := dev.DestroyDumb(b.Handle); err != nil {
			t.Errorf("%v", err)
		}
	})
	return b
}
