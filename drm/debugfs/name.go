package debugfs

import "regexp"

// DeviceName is which device a folder of debugfs is.
type DeviceName struct {
	Driver string
	Dev    string // of the bus, such as "0000:00:03.0"
	Master string // the bus id that the master knows, mostly not there
	Unique string // the device's own bus id
}

// The kernel's format, of drm_name_info. Nobody but drivers chooses its words.
var nameLine = regexp.MustCompile(`^(\S+)(?: dev=(\S+))?(?: master=(\S+))?(?: unique=(\S+))?\n$`)

// ParseName parses what [Dir.Name] reads.
func ParseName(text []byte) (DeviceName, error) {
	s := &scanner{text: text}
	m, ok := s.match(nameLine)
	if !ok {
		return DeviceName{}, s.fail("the name of a device")
	}
	return DeviceName{m[0], m[1], m[2], m[3]}, nil
}
