package debugfs

import (
	"bytes"
	"regexp"
	"strings"
)

// DeviceClient is an open file of a device.
type DeviceClient struct {
	Comm          string // of its process, raw; "<unknown>" for none
	TGID          uint32 // the process; Linux 6.1 prints the thread that opened
	Minor         uint32 // of the node that was opened
	Master        bool
	Authenticated bool
	UID           int64 // effective, negative for one that is above 2^31
	Magic         uint32
	// Name and ID are printed since Linux 7.2's time: the first is what
	// SET_CLIENT_NAME gave, and "<unset>" for none; the other is fdinfo's
	// drm-client-id.
	Name  string
	ID    uint64
	HasID bool // Name and ID were printed
}

const (
	commColumn = 20 // bytes, of which a name has 15 at most
	nameColumn = 64 // DRM_CLIENT_NAME_MAX_LEN
)

// The kernel's formats, of drm_clients_info. The name of a client has neither
// spaces nor line breaks: the kernel refuses others.
var (
	clientsHead = regexp.MustCompile(`^ {13}command +(?:pid|tgid) dev master a +uid +magic( +name +id)?\n`)
	clientsLine = regexp.MustCompile(`^ +(\d+) +(\d+) {3}([yn]) {4}([yn]) +(-?\d+) +(\d+)`)
	clientsName = regexp.MustCompile(`^ +([!-~]{1,64}) +(\d+)\n`)
)

// ParseClients parses what [Dir.Clients] reads.
//
// A process chooses its Comm, line breaks included. It is taken by its column,
// so that it changes nothing but itself. What cannot be told is whether it
// began with spaces, which the column is filled with, and whether a process or
// a client calls itself "<unknown>" or "<unset>".
func ParseClients(text []byte) ([]DeviceClient, error) {
	s := &scanner{text: text}
	m, ok := s.match(clientsHead)
	if !ok {
		return nil, s.fail("the head of clients")
	}
	named := m[0] != ""
	var clients []DeviceClient
	for !s.done() {
		c, err := s.client(named)
		if err != nil {
			return nil, err
		}
		clients = append(clients, c)
	}
	return clients, nil
}

func (s *scanner) client(named bool) (DeviceClient, error) {
	start := *s
	if len(s.rest()) < commColumn {
		return DeviceClient{}, s.fail("a client")
	}
	comm := s.rest()[:commColumn]
	s.at += commColumn
	m, ok := s.match(clientsLine)
	// A name that is too long for its column is none of the kernel's.
	if !ok || !bytes.HasPrefix(comm, []byte("     ")) {
		return DeviceClient{}, start.fail("a client")
	}
	var n numbers
	c := DeviceClient{
		Comm: strings.TrimLeft(string(comm), " "),
		TGID: parse[uint32](&n, m[0], 10), Minor: parse[uint32](&n, m[1], 10),
		Master: m[2] == "y", Authenticated: m[3] == "y",
		Magic: parse[uint32](&n, m[5], 10),
	}
	uid, negative := strings.CutPrefix(m[4], "-")
	if c.UID = int64(parse[uint32](&n, uid, 10)); negative {
		c.UID = -c.UID
	}
	if !named {
		ok = s.literal("\n")
	} else if m, ok = s.match(clientsName); ok {
		c.Name, c.ID, c.HasID = m[0], parse[uint64](&n, m[1], 10), true
	}
	if !ok {
		return DeviceClient{}, s.fail("the end of a client")
	}
	if n.err != nil {
		return DeviceClient{}, start.fail("a client: %v", n.err)
	}
	return c, nil
}
