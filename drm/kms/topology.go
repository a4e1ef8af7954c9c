package kms

import (
	"encoding/binary"
	"slices"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
)

// topology is what a device's display pipelines are made of, and how they are
// set.
type topology struct {
	Resources
	crtcs      []crtcState // in the order of Resources.CRTCs
	connectors []connectorState
	planes     []planeState
}

type crtcState struct {
	id    CRTCID
	props Properties
}

type connectorState struct {
	Connector
	props         Properties
	possibleCRTCs uint32 // of its encoders
}

type planeState struct {
	Plane
	props Properties
}

func readTopology(d *drm.Device) (t topology, err error) {
	if t.Resources, err = ReadResources(d); err != nil {
		return t, err
	}
	for _, id := range t.CRTCs {
		props, err := ReadProperties(d, id.Object())
		if err != nil {
			return t, err
		}
		t.crtcs = append(t.crtcs, crtcState{id, props})
	}
	for _, id := range t.Connectors {
		c, err := readConnectorState(d, id)
		if err != nil {
			return t, err
		}
		t.connectors = append(t.connectors, c)
	}
	planes, err := ReadPlanes(d)
	if err != nil {
		return t, err
	}
	for _, p := range planes {
		props, err := ReadProperties(d, p.ID.Object())
		if err != nil {
			return t, err
		}
		t.planes = append(t.planes, planeState{p, props})
	}
	return t, nil
}

func readConnectorState(d *drm.Device, id ConnectorID) (c connectorState, err error) {
	if c.Connector, err = ReadConnector(d, id); err != nil {
		return c, err
	}
	for _, id := range c.Encoders {
		e, err := ReadEncoder(d, id)
		if err != nil {
			return c, err
		}
		c.possibleCRTCs |= e.PossibleCRTCs
	}
	c.props, err = ReadProperties(d, id.Object())
	return c, err
}

// crtc returns the CRTC that the connector is attached to.
func (c connectorState) crtc() CRTCID { return CRTCID(c.props["CRTC_ID"].Value) }

// writes says whether a writeback connector writes pixels of format f.
func (c connectorState) writes(d *drm.Device, f fourcc.Format) (bool, error) {
	blob := BlobID(c.props["WRITEBACK_PIXEL_FORMATS"].Value)
	if blob == 0 {
		return false, nil
	}
	data, err := ReadBlob(d, blob)
	if err != nil {
		return false, err
	}
	for ; len(data) >= 4; data = data[4:] {
		if fourcc.Format(binary.NativeEndian.Uint32(data)) == f {
			return true, nil
		}
	}
	return false, nil
}

// primary finds the primary plane of the CRTC in place i.
func (t *topology) primary(i int, f fourcc.Format) (planeState, bool) {
	for _, p := range t.planes {
		if p.props["type"].Value == PlanePrimary && p.PossibleCRTCs&(1<<i) != 0 &&
			(p.CRTC == 0 || p.CRTC == t.crtcs[i].id) && slices.Contains(p.Formats, f) {
			return p, true
		}
	}
	return planeState{}, false
}

// inUse says whether somebody has set the CRTC up, switched off or not.
func (c crtcState) inUse() bool { return c.props["MODE_ID"].Value != 0 }
