package debugfs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/drm/debugfs"
)

const comm = "a\n b   c 0 y" // of the process of the samples

// TestClients passes if what each kernel printed of a device with two clients
// is understood, one of which has a name that forges a line.
//
// Cases F23, N21
func TestClients(t *testing.T) {
	first := debugfs.DeviceClient{Comm: comm, TGID: 86, Master: true, Authenticated: true}
	second := debugfs.DeviceClient{Comm: "exe", TGID: 90, Authenticated: true}
	got, err := debugfs.ParseClients(sample(t, "clients-6.1"))
	check(t, got, err, []debugfs.DeviceClient{first, second})

	first.TGID, second.TGID = 123, 128
	got, err = debugfs.ParseClients(sample(t, "clients-6.12"))
	check(t, got, err, []debugfs.DeviceClient{first, second})

	first.TGID, first.Name, first.ID, first.HasID = 40, "name-of-gemtool", 1, true
	render := first
	render.Minor, render.ID, render.Master = 128, 5, false
	second.TGID, second.Name, second.ID, second.HasID = 45, "<unset>", 7, true
	got, err = debugfs.ParseClients(sample(t, "clients-7.2"))
	check(t, got, err, []debugfs.DeviceClient{first, render, second})
}

const (
	clientsHead61 = "             command   pid dev master a   uid      magic\n"
	clientsHead72 = "             command  tgid dev master a   uid      magic" +
		"                                                             name                   id\n"
)

func clientLine(comm, name string) string {
	// Not %20s, which counts runes.
	return strings.Repeat(" ", 20-len(comm)) + comm + fmt.Sprintf(" %5d %3d   %c    %c %5d %10d %64s %20d\n", 40, 128, 'n', 'y', 1000, 0, name, 5)
}

// TestClientsComm passes if no name of a process changes a number, and large
// numbers are read beyond their columns.
func TestClientsComm(t *testing.T) {
	for _, comm := range []string{
		"", "\n", "\n\n\n", "x 1 2   y    y", "\n1 0   y    y 0", "\xff\xfe", "日本語日本", "123456789012345",
	} {
		want := debugfs.DeviceClient{Comm: comm, TGID: 40, Minor: 128, Authenticated: true, UID: 1000, Name: "n", ID: 5, HasID: true}
		got, err := debugfs.ParseClients([]byte(clientsHead72 + clientLine(comm, "n") + clientLine(comm, "n")))
		check(t, got, err, []debugfs.DeviceClient{want, want})
	}
	got, err := debugfs.ParseClients([]byte(clientsHead61 + "           <unknown> 4194304 128   n    n    -2 4294967295\n"))
	check(t, got, err, []debugfs.DeviceClient{{Comm: "<unknown>", TGID: 4194304, Minor: 128, UID: -2, Magic: 4294967295}})
	got, err = debugfs.ParseClients([]byte(clientsHead61))
	check(t, got, err, nil)
}

// TestClientsSyntax passes if text of another form is an error that says where.
func TestClientsSyntax(t *testing.T) {
	good := clientLine("me", "n")
	for name, text := range map[string]string{
		"empty":          "",
		"no head":        good,
		"cut off":        clientsHead72 + good[:len(good)-1],
		"short":          clientsHead72 + good[:10],
		"long comm":      clientsHead72 + "    0123456789abcdef" + good[20:],
		"without a name": clientsHead61 + good,
		"name missing":   clientsHead72 + "           <unknown>     1   0   n    n     0          0\n",
		"tgid too large": clientsHead72 + strings.Replace(good, "   40", "4294967296", 1),
	} {
		clients, err := debugfs.ParseClients([]byte(text))
		var syntax *debugfs.SyntaxError
		if !errors.Is(err, debugfs.ErrSyntax) || !errors.As(err, &syntax) || clients != nil {
			t.Errorf("%s: %v, %v, want ErrSyntax", name, clients, err)
		}
	}
}

// TestName passes if each form of a device's name is understood.
func TestName(t *testing.T) {
	for text, want := range map[string]debugfs.DeviceName{
		"vkms dev=vkms unique=vkms\n":                              {Driver: "vkms", Dev: "vkms", Unique: "vkms"},
		"i915 dev=0000:00:02.0 master=pci:0 unique=0000:00:02.0\n": {Driver: "i915", Dev: "0000:00:02.0", Master: "pci:0", Unique: "0000:00:02.0"},
		"foo\n": {Driver: "foo"},
	} {
		got, err := debugfs.ParseName([]byte(text))
		check(t, got, err, want)
	}
	for _, text := range []string{"", "\n", "vkms", "vkms dev=\n", "vkms unique=a dev=b\n", "vkms\nvkms\n"} {
		if got, err := debugfs.ParseName([]byte(text)); !errors.Is(err, debugfs.ErrSyntax) {
			t.Errorf("%q: %+v, %v, want ErrSyntax", text, got, err)
		}
	}
}
