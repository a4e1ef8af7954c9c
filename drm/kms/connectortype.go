package kms

import "strconv"

// ConnectorType is a DRM_MODE_CONNECTOR_*.
type ConnectorType uint32

// All connector types of Linux 7.2, drm_mode.h.
const (
	ConnectorUnknown     ConnectorType = 0
	ConnectorVGA         ConnectorType = 1
	ConnectorDVII        ConnectorType = 2
	ConnectorDVID        ConnectorType = 3
	ConnectorDVIA        ConnectorType = 4
	ConnectorComposite   ConnectorType = 5
	ConnectorSVideo      ConnectorType = 6
	ConnectorLVDS        ConnectorType = 7
	ConnectorComponent   ConnectorType = 8
	Connector9PinDIN     ConnectorType = 9
	ConnectorDisplayPort ConnectorType = 10
	ConnectorHDMIA       ConnectorType = 11
	ConnectorHDMIB       ConnectorType = 12
	ConnectorTV          ConnectorType = 13
	ConnectorEDP         ConnectorType = 14
	ConnectorVirtual     ConnectorType = 15
	ConnectorDSI         ConnectorType = 16
	ConnectorDPI         ConnectorType = 17
	// ConnectorWriteback is no connector to a display: what its CRTC shows
	// is written into a framebuffer.
	ConnectorWriteback ConnectorType = 18
	ConnectorSPI       ConnectorType = 19
	ConnectorUSB       ConnectorType = 20
)

// connectorTypes are the kernel's names: drm_connector_enum_list.
var connectorTypes = [...]string{
	"Unknown", "VGA", "DVI-I", "DVI-D", "DVI-A", "Composite", "SVIDEO", "LVDS", "Component", "DIN", "DP",
	"HDMI-A", "HDMI-B", "TV", "eDP", "Virtual", "DSI", "DPI", "Writeback", "SPI", "USB",
}

// String returns the name that the kernel uses in its connectors' names.
func (t ConnectorType) String() string {
	if uint64(t) < uint64(len(connectorTypes)) {
		return connectorTypes[t]
	}
	return "type" + strconv.FormatUint(uint64(t), 10)
}
