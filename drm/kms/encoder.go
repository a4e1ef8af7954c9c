package kms

import (
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
)

// Encoder is what turns a CRTC's picture into a connector's signal.
type Encoder struct {
	ID             EncoderID
	Type           EncoderType
	CRTC           CRTCID // that it is attached to, 0 for none
	PossibleCRTCs  uint32 // bits by place in Resources.CRTCs
	PossibleClones uint32 // bits by place in Resources.Encoders: of those that can share a CRTC
}

// EncoderType is a DRM_MODE_ENCODER_*.
type EncoderType uint32

// All encoder types of Linux 7.2, drm_mode.h.
const (
	EncoderNone    EncoderType = 0
	EncoderDAC     EncoderType = 1
	EncoderTMDS    EncoderType = 2
	EncoderLVDS    EncoderType = 3
	EncoderTVDAC   EncoderType = 4
	EncoderVirtual EncoderType = 5
	EncoderDSI     EncoderType = 6
	EncoderDPMST   EncoderType = 7
	EncoderDPI     EncoderType = 8
)

// ReadEncoder reads an encoder.
//
// Nodes: card. Errors: ENOENT for an unknown encoder; ErrNotSupported on a
// device without modesetting. Source: drm_encoder.c.
func ReadEncoder(d *drm.Device, id EncoderID) (Encoder, error) {
	arg := uapi.ModeGetEncoder{EncoderID: uint32(id)}
	if err := uapi.OpModeGetEncoder.Do(d.FD(), &arg); err != nil {
		return Encoder{}, d.NewError(uapi.OpModeGetEncoder.Name(), id.String(), err)
	}
	return Encoder{
		ID: id, Type: EncoderType(arg.EncoderType), CRTC: CRTCID(arg.CRTCID),
		PossibleCRTCs: arg.PossibleCRTCs, PossibleClones: arg.PossibleClones,
	}, nil
}
