package kms

import (
	"fmt"
	"runtime"
	"strconv"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// PropertyKind says what the values of a property are.
type PropertyKind uint8

// The kinds of properties.
const (
	KindUnknown     PropertyKind = iota // newer than Linux 7.2
	KindRange                           // a number from Min to Max
	KindSignedRange                     // the same, as an int64
	KindEnum                            // the value of one of Enums
	KindBitmask                         // bits, whose numbers are the values of Enums
	KindBlob                            // a BlobID, 0 for none
	KindObject                          // the ID of an object of the type Object, 0 for none
)

func (k PropertyKind) String() string {
	names := [...]string{"unknown", "range", "signed range", "enum", "bitmask", "blob", "object"}
	if int(k) < len(names) {
		return names[k]
	}
	return strconv.Itoa(int(k))
}

// PropertyInfo describes a property, which objects share.
type PropertyInfo struct {
	ID        PropertyID
	Name      string // the kernel's: escape it before it reaches a terminal
	Kind      PropertyKind
	Immutable bool // for clients: the kernel may change it
	Atomic    bool // seen with drm.ClientCapAtomic only

	Min, Max uint64         // of a range; of a signed one as int64
	Enums    []PropertyEnum // of an enum or a bitmask
	Object   ObjectType     // of an object
}

// PropertyEnum is a value that has a name.
type PropertyEnum struct {
	Name  string // the kernel's: escape it before it reaches a terminal
	Value uint64 // of a bitmask: the number of the bit
}

// ObjectType is a DRM_MODE_OBJECT_*.
type ObjectType uint32

// The types of objects that properties refer to.
const (
	TypeCRTC    ObjectType = uapi.ModeObjectCRTC
	TypeFB      ObjectType = uapi.ModeObjectFB
	TypeColorOp ObjectType = uapi.ModeObjectColorOp // after Linux 6.12
)

// String names the type, and those that no property was seen to refer to by their
// numbers.
func (t ObjectType) String() string {
	switch t {
	case TypeCRTC:
		return "CRTC"
	case TypeFB:
		return "framebuffer"
	case TypeColorOp:
		return "color operation"
	}
	return fmt.Sprintf("%#x", uint32(t))
}

// Value returns the value of an enum's name, or the bit of a bitmask's.
func (p PropertyInfo) Value(name string) (value uint64, ok bool) {
	for _, e := range p.Enums {
		if e.Name == name {
			return p.enumValue(e)
		}
	}
	return 0, false
}

// Names returns the name of an enum's value, or those of the bits that are
// set in a bitmask's.
func (p PropertyInfo) Names(value uint64) []string {
	var names []string
	for _, e := range p.Enums {
		v, ok := p.enumValue(e)
		if ok && (v == value || p.Kind == KindBitmask && v&value != 0) {
			names = append(names, e.Name)
		}
	}
	return names
}

// enumValue is the value that e stands for.
func (p PropertyInfo) enumValue(e PropertyEnum) (value uint64, ok bool) {
	if p.Kind != KindBitmask {
		return e.Value, true
	}
	return 1 << (e.Value & 63), e.Value < 64
}

// Contains says whether the value is one that the property can have, as far
// as its description tells: of blobs and objects it tells nothing.
func (p PropertyInfo) Contains(value uint64) bool {
	switch p.Kind {
	case KindRange:
		return p.Min <= value && value <= p.Max
	case KindSignedRange:
		return int64(p.Min) <= int64(value) && int64(value) <= int64(p.Max)
	case KindEnum:
		return len(p.Names(value)) > 0
	case KindBitmask:
		for _, e := range p.Enums {
			if bit, ok := p.enumValue(e); ok {
				value &^= bit
			}
		}
		return value == 0
	}
	return true
}

// ReadProperty reads what a property means.
//
// Nodes: card. Errors: ENOENT for an unknown property; ErrNotSupported on a
// device without modesetting. Source: drm_property.c.
func ReadProperty(d *drm.Device, id PropertyID) (PropertyInfo, error) {
	fail := func(err error) (PropertyInfo, error) {
		return PropertyInfo{}, d.NewError(uapi.OpModeGetProperty.Name(), id.String(), err)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	var values []uint64
	var enums []uapi.ModePropertyEnum
	for {
		arg := uapi.ModeGetProperty{
			PropID:    uint32(id),
			ValuesPtr: ioctl.Addr(&pin, values), CountValues: uint32(len(values)),
			EnumBlobPtr: ioctl.Addr(&pin, enums), CountEnumBlobs: uint32(len(enums)),
		}
		if err := uapi.OpModeGetProperty.Do(d.FD(), &arg); err != nil {
			return fail(err)
		}
		var room room
		fit(&room, &values, arg.CountValues)
		fit(&room, &enums, arg.CountEnumBlobs)
		if room.err != nil {
			return fail(room.err)
		}
		if !room.short {
			return propertyInfo(id, &arg, values, enums), nil
		}
	}
}

func propertyInfo(id PropertyID, arg *uapi.ModeGetProperty, values []uint64, enums []uapi.ModePropertyEnum) PropertyInfo {
	p := PropertyInfo{
		ID: id, Name: cString(arg.Name[:]),
		Immutable: arg.Flags&uapi.ModePropImmutable != 0,
		Atomic:    arg.Flags&uapi.ModePropAtomic != 0,
	}
	// The older types have a bit each, the newer ones are numbers.
	switch extended := arg.Flags & uapi.ModePropExtendedType; {
	case extended == uapi.ModePropObject:
		p.Kind = KindObject
	case extended == uapi.ModePropSignedRange:
		p.Kind = KindSignedRange
	case extended != 0:
	case arg.Flags&uapi.ModePropRange != 0:
		p.Kind = KindRange
	case arg.Flags&uapi.ModePropEnum != 0:
		p.Kind = KindEnum
	case arg.Flags&uapi.ModePropBitmask != 0:
		p.Kind = KindBitmask
	case arg.Flags&uapi.ModePropBlob != 0:
		p.Kind = KindBlob
	}
	switch p.Kind {
	case KindRange, KindSignedRange:
		if len(values) >= 2 {
			p.Min, p.Max = values[0], values[1]
		}
	case KindEnum, KindBitmask:
		for i := range enums {
			p.Enums = append(p.Enums, PropertyEnum{cString(enums[i].Name[:]), enums[i].Value})
		}
	case KindObject:
		if len(values) >= 1 {
			p.Object = ObjectType(values[0])
		}
	}
	return p
}
