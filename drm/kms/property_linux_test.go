package kms_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/kms"
)

// atomicCard is a device that is master and sees all properties.
func atomicCard(t *testing.T, driver string) card {
	t.Helper()
	c := igtCard(t, driver)
	if err := c.SetClientCap(drm.ClientCapAtomic, 1); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestReadProperty passes if every property of every object has a kind that
// is known and a value that its description allows, and those that all
// drivers have are what the kernel's documentation says.
func TestReadProperty(t *testing.T) {
	for _, driver := range kmsDrivers {
		t.Run(driver, func(t *testing.T) {
			c := atomicCard(t, driver)
			r, err := kms.ReadResources(c.Device)
			if err != nil {
				t.Fatal(err)
			}
			planes, err := kms.ReadPlanes(c.Device)
			if err != nil {
				t.Fatal(err)
			}
			objects := []kms.Object{r.CRTCs[0].Object(), r.Connectors[0].Object()}
			for _, p := range planes {
				objects = append(objects, p.ID.Object())
			}
			all := map[string]kms.PropertyInfo{}
			for _, o := range objects {
				props, err := kms.ReadProperties(c.Device, o)
				if err != nil {
					t.Fatal(err)
				}
				other, err := kms.ReadProperties(c.Device, kms.AnyObject(o.ID()))
				if err != nil || len(other) != len(props) {
					t.Errorf("%v: %v by its kind, %v without, %v", o, props, other, err)
				}
				for name, p := range props {
					info, err := kms.ReadProperty(c.Device, p.ID)
					if err != nil || info.Name != name || info.ID != p.ID || info.Kind == kms.KindUnknown || !info.Contains(p.Value) {
						t.Errorf("%v %s is %d: %+v, %v", o, name, int64(p.Value), info, err)
					}
					all[name] = info
				}
			}
			wantProperties(t, all)
			wantFormats(t, c.Device, planes)
		})
	}
}

func wantProperties(t *testing.T, all map[string]kms.PropertyInfo) {
	t.Helper()
	typ := all["type"]
	if v, ok := typ.Value("Cursor"); typ.Kind != kms.KindEnum || !typ.Immutable || typ.Atomic || v != kms.PlaneCursor || !ok {
		t.Errorf("%+v", typ)
	}
	if names := typ.Names(kms.PlanePrimary); !slices.Equal(names, []string{"Primary"}) {
		t.Errorf("primary is %q", names)
	}
	if p := all["CRTC_ID"]; p.Kind != kms.KindObject || p.Object != kms.TypeCRTC || !p.Atomic || p.Immutable {
		t.Errorf("%+v", p)
	}
	if p := all["FB_ID"]; p.Kind != kms.KindObject || p.Object != kms.TypeFB {
		t.Errorf("%+v", p)
	}
	if p := all["CRTC_X"]; p.Kind != kms.KindSignedRange || int64(p.Min) != math.MinInt32 || p.Max != math.MaxInt32 {
		t.Errorf("%+v", p)
	}
	if p := all["CRTC_W"]; p.Kind != kms.KindRange || p.Min != 0 || p.Max != math.MaxInt32 {
		t.Errorf("%+v", p)
	}
	if p := all["MODE_ID"]; p.Kind != kms.KindBlob {
		t.Errorf("%+v", p)
	}
}

// wantFormats passes if IN_FORMATS speaks of the formats that planes have.
func wantFormats(t *testing.T, d *drm.Device, planes []kms.Plane) {
	t.Helper()
	for _, p := range planes {
		props, err := kms.ReadProperties(d, p.ID.Object())
		if err != nil {
			t.Fatal(err)
		}
		in, ok := props["IN_FORMATS"]
		if !ok {
			continue // a driver without modifiers
		}
		blob, err := kms.ReadBlob(d, kms.BlobID(in.Value))
		if err != nil {
			t.Fatal(err)
		}
		pairs, err := kms.ParseInFormats(blob)
		if err != nil || len(pairs) < len(p.Formats) {
			t.Errorf("%v: %d pairs of %d formats, %v", p.ID, len(pairs), len(p.Formats), err)
		}
		for _, pair := range pairs {
			if pair.Modifier != 0 || !slices.Contains(p.Formats, pair.Format) {
				t.Errorf("%v has no %v", p.ID, pair)
			}
		}
	}
}

// TestSetProperty passes if a property is set, and what cannot be set is
// refused as the kernel does it.
func TestSetProperty(t *testing.T) {
	c := atomicCard(t, "vkms")
	planes, err := kms.ReadPlanes(c.Device)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(planes, func(p kms.Plane) bool { return p.FB == 0 })
	if i < 0 {
		t.Fatalf("no plane that shows nothing: %+v", planes)
	}
	o := planes[i].ID.Object()
	read := func() kms.Properties {
		props, err := kms.ReadProperties(c.Device, o)
		if err != nil {
			t.Fatal(err)
		}
		return props
	}
	before := read()
	w := before["CRTC_W"]
	if err := kms.SetProperty(c.Device, o, w.ID, 77); err != nil {
		t.Error(err)
	}
	if got := read()["CRTC_W"].Value; got != 77 {
		t.Errorf("CRTC_W is %d, want 77", got)
	}
	if err := kms.SetProperty(c.Device, o, w.ID, w.Value); err != nil {
		t.Error(err)
	}
	for name, test := range map[string]struct {
		id    kms.PropertyID
		value uint64
	}{
		"out of range":    {w.ID, 1 << 31},
		"immutable":       {before["type"].ID, kms.PlaneOverlay},
		"another's":       {none, 0},
		"no such enum":    {before["type"].ID, 9},
		"no such CRTC":    {before["CRTC_ID"].ID, none},
		"a plane as CRTC": {before["CRTC_ID"].ID, uint64(o.ID())},
	} {
		err := kms.SetProperty(c.Device, o, test.id, test.value)
		if !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.EACCES) || !strings.Contains(err.Error(), o.String()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPropertyInfo passes if a description is read as the kernel means it,
// whatever names are in it, and values are told apart.
func TestPropertyInfo(t *testing.T) {
	d := drmtest.RequireDevice(t, "vkms")
	long := strings.Repeat("n", 32)
	enums := []uapi.ModePropertyEnum{{Value: 0}, {Value: 2}, {Value: 64}, {Value: 1 << 40}}
	copy(enums[0].Name[:], "zero")
	copy(enums[1].Name[:], long)
	copy(enums[2].Name[:], "beyond")
	copy(enums[3].Name[:], "far beyond")
	for _, test := range []struct {
		name     string
		flags    uint32
		values   []uint64
		kind     kms.PropertyKind
		contains []uint64
		not      []uint64
	}{
		{"range", uapi.ModePropRange, []uint64{1, 3}, kms.KindRange, []uint64{1, 3}, []uint64{0, 4}},
		{"range without limits", uapi.ModePropRange, nil, kms.KindRange, []uint64{0}, []uint64{1}},
		{"signed", uapi.ModePropSignedRange, []uint64{math.MaxUint64, 1}, kms.KindSignedRange, []uint64{0, math.MaxUint64}, []uint64{2, math.MaxUint64 - 1}},
		{"enum", uapi.ModePropEnum, nil, kms.KindEnum, []uint64{0, 2, 64}, []uint64{1}},
		{"bitmask", uapi.ModePropBitmask, nil, kms.KindBitmask, []uint64{0, 1, 4, 5}, []uint64{2, 8, 1 << 63}},
		{"blob", uapi.ModePropBlob, nil, kms.KindBlob, []uint64{9}, nil},
		{"object", uapi.ModePropObject, []uint64{uapi.ModeObjectCRTC}, kms.KindObject, []uint64{9}, nil},
		{"object of nothing", uapi.ModePropObject, nil, kms.KindObject, nil, nil},
		{"newer", 3 << 6, []uint64{1}, kms.KindUnknown, []uint64{9}, nil},
		{"nothing", 0, nil, kms.KindUnknown, []uint64{9}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
				if c.Request != uapi.OpModeGetProperty.Request() {
					return 0, false
				}
				arg := drmtest.Arg[uapi.ModeGetProperty](c)
				arg.Flags = test.flags | uapi.ModePropAtomic
				copy(arg.Name[:], long)
				if arg.CountValues >= uint32(len(test.values)) {
					writeUser(t, arg.ValuesPtr, test.values)
				}
				arg.CountValues = uint32(len(test.values))
				if test.flags&(uapi.ModePropEnum|uapi.ModePropBitmask) != 0 {
					if arg.CountEnumBlobs >= uint32(len(enums)) {
						writeUser(t, arg.EnumBlobPtr, enums)
					}
					arg.CountEnumBlobs = uint32(len(enums))
				}
				return 0, true
			})
			p, err := kms.ReadProperty(d, 3)
			if err != nil || p.Name != long || p.Kind != test.kind || !p.Atomic || p.Immutable {
				t.Fatalf("%+v, %v", p, err)
			}
			for _, v := range test.contains {
				if !p.Contains(v) {
					t.Errorf("%d is missing", v)
				}
			}
			for _, v := range test.not {
				if p.Contains(v) {
					t.Errorf("%d is in", v)
				}
			}
			if test.kind == kms.KindBitmask {
				if got := p.Names(5); !slices.Equal(got, []string{"zero", long}) {
					t.Errorf("names of 5: %q", got)
				}
				if v, ok := p.Value(long); v != 4 || !ok {
					t.Errorf("bit %d, %v", v, ok)
				}
				if v, ok := p.Value("beyond"); ok {
					t.Errorf("bit 64 is %d", v)
				}
			}
			if test.name == "object" && p.Object != kms.TypeCRTC {
				t.Errorf("object of %#x", uint32(p.Object))
			}
		})
	}
}
