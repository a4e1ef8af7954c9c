package inventory

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// pciIDPaths are where distributions put the list of names. Nothing else is
// read, no variable of the environment names another, and nothing is fetched.
// (The module jaypipes/pcidb does all that, links net/http, and keeps the whole
// list.)
var pciIDPaths = []string{
	"/usr/share/hwdata/pci.ids", // Fedora, Arch, Alpine
	"/usr/share/misc/pci.ids",   // Debian, and links elsewhere
	"/usr/share/pci.ids",        // pciutils as it comes
}

// pciName is what to look up, and where the answers go.
type pciName struct{ vendor, product *Name }

// namePCI names the devices on PCI. Where no list is, they have their numbers.
func (s System) namePCI(all []*Device) {
	var wanted []pciName
	for _, d := range all {
		if d.Vendor.ID != nil && d.Product.ID != nil && d.Bus != "usb" {
			wanted = append(wanted, pciName{&d.Vendor, &d.Product})
		}
	}
	if len(wanted) == 0 {
		return
	}
	paths := s.PCIIDs
	if paths == nil {
		paths = pciIDPaths
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		lookUp(f, wanted)
		f.Close()
		return
	}
}

// lookUp goes once through a pci.ids:
//
//	1234  Vendor
//		1111  Product
//			1af4 1100  Subsystem
//	C 03  Class
func lookUp(r io.Reader, wanted []pciName) {
	vendors := map[string][]pciName{}
	for _, w := range wanted {
		key := fmt.Sprintf("%04x  ", *w.vendor.ID)
		vendors[key] = append(vendors[key], w)
	}
	var here []pciName // of the vendor that the lines are about
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Bytes()
		switch {
		case len(line) < 7 || line[0] == '#':
		case line[0] != '\t':
			here = vendors[string(line[:6])]
			for _, w := range here {
				w.vendor.Text = strings.TrimSpace(string(line[6:]))
			}
		case line[1] != '\t':
			for _, w := range here {
				if string(line[1:7]) == fmt.Sprintf("%04x  ", *w.product.ID) {
					w.product.Text = strings.TrimSpace(string(line[7:]))
				}
			}
		}
	}
}
