package kms_test

import (
	"errors"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm/kms"
)

// legacyFormat passes if numbers of bits that are no format are always
// refused, and those that are one always get the same answer.
func legacyFormat(t *testing.T, c card) {
	type bits struct{ bpp, depth uint32 }
	known := map[bits]error{}
	for _, b := range []bits{{1, 1}, {2, 2}, {4, 4}, {8, 8}, {16, 15}, {16, 16}, {24, 24}, {32, 24}, {32, 30}, {32, 32}} {
		known[b] = addLegacy(c, b.bpp, b.depth)
	}
	if err := known[bits{32, 24}]; err != nil {
		t.Errorf("the format of every driver: %v", err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		// Large numbers never are one, small ones may be.
		b := bits{random.Uint32() >> random.IntN(32), random.Uint32() >> random.IntN(32)}
		want, ok := known[b]
		if !ok {
			want = syscall.EINVAL
		}
		if err := addLegacy(c, b.bpp, b.depth); !same(err, want) {
			t.Fatalf("%+v: %v, want %v", b, err, want)
		}
	}
	for b, want := range known {
		if err := addLegacy(c, b.bpp, b.depth); !same(err, want) {
			t.Errorf("%+v: %v, was %v", b, err, want)
		}
	}
}

func addLegacy(c card, bpp, depth uint32) error {
	id, err := kms.AddFB(c.Device, kms.LegacyFB{
		Handle: c.bo, Width: 512, Height: 512, Pitch: 2048, BPP: bpp, Depth: depth,
	})
	if err != nil {
		return err
	}
	return kms.RmFB(c.Device, id)
}

// same says whether two errors are of one errno.
func same(a, b error) bool {
	var x, y syscall.Errno
	return errors.As(a, &x) == errors.As(b, &y) && x == y
}
