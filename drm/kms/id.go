package kms

import (
	"fmt"
)

// What the kernel numbers, each kind with a type of its own although the
// numbers are of one space. 0 is none.
type (
	FBID        uint32
	CRTCID      uint32
	ConnectorID uint32
	EncoderID   uint32
	PlaneID     uint32
	ColorOpID   uint32 // after Linux 6.12
	PropertyID  uint32
	BlobID      uint32
)

// LesseeID names a lease to who granted it. It is of a space of its own.
type LesseeID uint32

func (id FBID) String() string        { return fmt.Sprintf("framebuffer %d", uint32(id)) }
func (id CRTCID) String() string      { return fmt.Sprintf("CRTC %d", uint32(id)) }
func (id ConnectorID) String() string { return fmt.Sprintf("connector %d", uint32(id)) }
func (id EncoderID) String() string   { return fmt.Sprintf("encoder %d", uint32(id)) }
func (id PlaneID) String() string     { return fmt.Sprintf("plane %d", uint32(id)) }
func (id ColorOpID) String() string   { return fmt.Sprintf("color operation %d", uint32(id)) }
func (id PropertyID) String() string  { return fmt.Sprintf("property %d", uint32(id)) }
func (id BlobID) String() string      { return fmt.Sprintf("blob %d", uint32(id)) }
func (id LesseeID) String() string    { return fmt.Sprintf("lessee %d", uint32(id)) }
