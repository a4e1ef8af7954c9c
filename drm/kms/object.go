package kms

import (
	"fmt"

	"github.com/gemtool/gemtool/drm/internal/uapi"
)

// Object is an object of whatever kind, to ask for its properties or to lease.
// CRTCs, connectors, planes and color operations have properties.
type Object struct {
	id   uint32
	kind uint32
}

// AnyObject returns the object of a number whose kind is not known.
func AnyObject(id uint32) Object { return Object{id, uapi.ModeObjectAny} }

// Object returns the CRTC as an object.
func (id CRTCID) Object() Object { return Object{uint32(id), uapi.ModeObjectCRTC} }

// Object returns the connector as an object.
func (id ConnectorID) Object() Object { return Object{uint32(id), uapi.ModeObjectConnector} }

// Object returns the plane as an object.
func (id PlaneID) Object() Object { return Object{uint32(id), uapi.ModeObjectPlane} }

// Object returns the color operation as an object.
func (id ColorOpID) Object() Object { return Object{uint32(id), uapi.ModeObjectColorOp} }

// Object returns the encoder as an object. It has no properties.
func (id EncoderID) Object() Object { return Object{uint32(id), uapi.ModeObjectEncoder} }

// Object returns the framebuffer as an object. It has no properties.
func (id FBID) Object() Object { return Object{uint32(id), uapi.ModeObjectFB} }

// ID returns the object's number.
func (o Object) ID() uint32 { return o.id }

func (o Object) String() string {
	switch o.kind {
	case uapi.ModeObjectCRTC:
		return CRTCID(o.id).String()
	case uapi.ModeObjectConnector:
		return ConnectorID(o.id).String()
	case uapi.ModeObjectPlane:
		return PlaneID(o.id).String()
	case uapi.ModeObjectColorOp:
		return ColorOpID(o.id).String()
	case uapi.ModeObjectEncoder:
		return EncoderID(o.id).String()
	case uapi.ModeObjectFB:
		return FBID(o.id).String()
	}
	return fmt.Sprintf("object %d", o.id)
}
