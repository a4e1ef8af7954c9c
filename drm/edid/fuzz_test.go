package edid_test

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"
	"unicode"

	"github.com/gemtool/gemtool/drm/edid"
)

// FuzzParse passes if a whole base block and what is behind it give a value, of
// which every text can be printed and every timing has a picture, and all other
// bytes an error.
func FuzzParse(f *testing.F) {
	for _, raw := range corpus(f) {
		f.Add(raw)
	}
	for i := range uint64(4) {
		f.Add(build(rand.New(rand.NewPCG(i, 2))))
	}
	f.Fuzz(sane)
}

// TestHostile passes if EDIDs with wrong bytes in them, and cut off, are what the fuzz target
// wants of them.
func TestHostile(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		raw := build(r)
		for range between(r, 1, 20) {
			raw[between(r, 8, len(raw)-1)] = byte(r.Uint32())
		}
		sane(t, raw[:between(r, 120, len(raw))])
	}
}

func sane(t *testing.T, raw []byte) {
	e, err := edid.Parse(raw)
	if header := bytes.HasPrefix(raw, []byte("\x00\xff\xff\xff\xff\xff\xff\x00")); (err == nil) != (header && len(raw) >= 128 && len(raw) <= 256*128) {
		t.Errorf("%d bytes: %v", len(raw), err)
	}
	if err != nil {
		if !reflect.ValueOf(e).IsZero() {
			t.Errorf("%+v and %v", e, err)
		}
		return
	}
	texts := append([]string{e.Vendor, e.Name, e.SerialText}, e.Texts...)
	for _, w := range e.Warnings {
		texts = append(texts, w.String())
	}
	timings := e.Detailed
	for _, c := range e.CTA {
		timings = append(timings, c.Detailed...)
	}
	for _, d := range e.DisplayIDs {
		for _, dt := range d.Timings {
			timings = append(timings, dt.Timing)
		}
		if d.Product != nil {
			texts = append(texts, d.Product.Vendor, d.Product.Name)
		}
		if d.Tile != nil {
			texts = append(texts, d.Tile.Vendor)
		}
	}
	for _, s := range texts {
		for _, r := range s {
			if r > unicode.MaxASCII || !unicode.IsPrint(r) {
				t.Errorf("text %q", s)
			}
		}
	}
	for _, dt := range timings {
		if dt.HActive == 0 || dt.VActive == 0 || dt.Clock == 0 {
			t.Errorf("%+v", dt)
		}
	}
}
