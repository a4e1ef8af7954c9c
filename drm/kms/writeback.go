package kms

import (
	"errors"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
)

// Why a device cannot read back what it shows.
var (
	// ErrNoWriteback: the device has no writeback connector that does it.
	ErrNoWriteback = errors.New("no writeback connector")
	// ErrBusy: somebody else drives the displays.
	ErrBusy = errors.New("displays are in use")
)

// readBackFormat is the one format that drivers with writeback all take.
const readBackFormat = fourcc.XRGB8888

// pipe is a way through the device: from a primary plane through a CRTC to a
// writeback connector.
type pipe struct {
	plane     planeState
	crtc      crtcState
	connector connectorState

	// What is on the CRTC besides, and has to leave it for a while.
	otherPlanes     []planeState
	otherConnectors []connectorState
}

// findPipe finds a pipe of which nobody uses the CRTC, or only fbcon, for
// which borrowable is asked.
func findPipe(d *drm.Device, t *topology, borrowable func(crtcState) bool) (pipe, error) {
	why := ErrNoWriteback
	var borrowed *pipe
	for _, c := range t.connectors {
		if c.Type != ConnectorWriteback {
			continue
		}
		if ok, err := c.writes(d, readBackFormat); err != nil {
			return pipe{}, err
		} else if !ok {
			continue
		}
		for i, crtc := range t.crtcs {
			plane, ok := t.primary(i, readBackFormat)
			if !ok || c.possibleCRTCs&(1<<i) == 0 {
				continue
			}
			p := pipe{plane: plane, crtc: crtc, connector: c}
			switch {
			case c.crtc() != 0 && c.crtc() != crtc.id, crtc.inUse() && !borrowable(crtc):
				why = ErrBusy
			case crtc.inUse():
				borrowed = &p
			default:
				p.addOthers(t)
				return p, nil
			}
		}
	}
	if borrowed == nil {
		return pipe{}, d.NewError("readback", "", why)
	}
	borrowed.addOthers(t)
	return *borrowed, nil
}

func (p *pipe) addOthers(t *topology) {
	for _, o := range t.planes {
		if o.ID != p.plane.ID && o.CRTC == p.crtc.id {
			p.otherPlanes = append(p.otherPlanes, o)
		}
	}
	for _, o := range t.connectors {
		if o.ID != p.connector.ID && o.crtc() == p.crtc.id {
			p.otherConnectors = append(p.otherConnectors, o)
		}
	}
}
