package devinfo

import (
	"cmp"
	"maps"
	"slices"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/kms"
)

// Property is a property, what it may be, and what it is. Of the fields for
// what it may be and is there are those of its kind.
type Property struct {
	Name      string `json:"name"`
	ID        uint32 `json:"id"`
	Kind      string `json:"kind"` // range, signed range, enum, bitmask, blob, object or unknown
	Immutable bool   `json:"immutable"`
	Atomic    bool   `json:"atomic"`

	Range       *Range[uint64] `json:"range,omitempty"`
	SignedRange *Range[int64]  `json:"signed_range,omitempty"`
	Enums       []Enum         `json:"enums,omitempty"`       // of a bitmask their values are numbers of bits
	ObjectType  uint32         `json:"object_type,omitempty"` // a DRM_MODE_OBJECT_*

	Value       uint64       `json:"value"` // as the kernel has it
	Signed      *int64       `json:"signed,omitempty"`
	Names       []string     `json:"names,omitempty"`  // of an enum's value, or of the bits
	Pixels      *float64     `json:"pixels,omitempty"` // of SRC_X and its like, which count 1/65536
	Blob        *Blob        `json:"blob,omitempty"`
	Framebuffer *Framebuffer `json:"framebuffer,omitempty"`
	Error       string       `json:"error,omitempty"` // why the blob or framebuffer is missing
}

// Range is from Min to Max, both included.
type Range[T uint64 | int64] struct {
	Min T `json:"min"`
	Max T `json:"max"`
}

// Enum is a value with a name.
type Enum struct {
	Name  string `json:"name"`
	Value uint64 `json:"value"`
}

// ReadProperties reads an object's properties, sorted by their ids: in about
// the order in which the kernel made them.
func ReadProperties(d *drm.Device, o kms.Object) ([]Property, error) {
	props, err := kms.ReadProperties(d, o)
	if err != nil {
		return nil, err
	}
	out := []Property{}
	for _, p := range slices.SortedFunc(maps.Values(props), func(a, b kms.Property) int { return cmp.Compare(a.ID, b.ID) }) {
		info, err := kms.ReadProperty(d, p.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, newProperty(d, info, p.Value))
	}
	return out, nil
}

func newProperty(d *drm.Device, info kms.PropertyInfo, value uint64) Property {
	p := Property{Name: info.Name, ID: uint32(info.ID), Kind: info.Kind.String(), Immutable: info.Immutable, Atomic: info.Atomic, Value: value}
	for _, e := range info.Enums {
		p.Enums = append(p.Enums, Enum(e))
	}
	var err error
	switch info.Kind {
	case kms.KindRange:
		p.Range = &Range[uint64]{info.Min, info.Max}
		if slices.Contains([]string{"SRC_X", "SRC_Y", "SRC_W", "SRC_H"}, info.Name) {
			pixels := float64(value) / (1 << 16)
			p.Pixels = &pixels
		}
	case kms.KindSignedRange:
		signed := int64(value)
		p.SignedRange, p.Signed = &Range[int64]{int64(info.Min), int64(info.Max)}, &signed
	case kms.KindEnum, kms.KindBitmask:
		p.Names = info.Names(value)
	case kms.KindBlob:
		p.Blob, err = readBlob(d, kms.BlobID(value), info.Name)
	case kms.KindObject:
		p.ObjectType = uint32(info.Object)
		if info.Object == kms.TypeFB {
			p.Framebuffer, err = readFramebuffer(d, kms.FBID(value))
		}
	}
	if err != nil {
		p.Error = err.Error()
	}
	return p
}
