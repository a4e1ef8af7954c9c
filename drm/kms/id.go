package kms

import (
	"fmt"

	"github.com/gemtool/gemtool/drm/internal/uapi"
)

// What the kernel numbers, each kind with a type of its own although the
// numbers are of one space. 0 is none.
type (
	FBID        uint32
	CRTCID      uint32
	ConnectorID uint32
	EncoderID   uint32
	PlaneID     uint32
	PropertyID  uint32
	BlobID      uint32
)

func (id FBID) String() string        { return fmt.Sprintf("framebuffer %d", uint32(id)) }
func (id CRTCID) String() string      { return fmt.Sprintf("CRTC %d", uint32(id)) }
func (id ConnectorID) String() string { return fmt.Sprintf("connector %d", uint32(id)) }
func (id EncoderID) String() string   { return fmt.Sprintf("encoder %d", uint32(id)) }
func (id PlaneID) String() string     { return fmt.Sprintf("plane %d", uint32(id)) }
func (id PropertyID) String() string  { return fmt.Sprintf("property %d", uint32(id)) }
func (id BlobID) String() string      { return fmt.Sprintf("blob %d", uint32(id)) }

// Object is an object that has properties, of whatever kind.
type Object struct {
	id   uint32
	kind uint32
	name string
}

// Object returns the CRTC as an object that has properties.
func (id CRTCID) Object() Object {
	return Object{uint32(id), uapi.ModeObjectCRTC, id.String()}
}

// Object returns the connector as an object that has properties.
func (id ConnectorID) Object() Object {
	return Object{uint32(id), uapi.ModeObjectConnector, id.String()}
}

// Object returns the plane as an object that has properties.
func (id PlaneID) Object() Object {
	return Object{uint32(id), uapi.ModeObjectPlane, id.String()}
}

func (o Object) String() string { return o.name }
