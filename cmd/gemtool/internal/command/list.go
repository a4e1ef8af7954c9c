package command

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/inventory"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/nvml"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
)

func newList() *cobra.Command {
	var (
		wake bool
		wait time.Duration
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show the DRM devices of this machine",
		Long: `List shows every DRM device once, with its nodes, its driver, what it can do with
buffers, and which permissions this user lacks:

  dumb          makes dumb buffers (a small one was made)
  share out     shares them as dma-bufs (it was)
  take in       imports dma-bufs, as the kernel says; "gemtool matrix" proves it
  scan out      drives displays
  atomic        has atomic modesetting
  sync objects  has them; "timelines" with points in time

What could not be asked is unknown: with --json it is null. A device that is
asleep is not opened, as that would wake it, nor one whose console is blanked, as
the kernel would turn that on. Accel nodes are never opened: some drivers reset
the device when they are closed. GPUs that NVIDIA's driver knows are shown with
what NVML says of them, if it was built in.

Exit codes: 0 there are devices, 77 there is none.`,
		Args:              arguments,
		ValidArgsFunction: nothing,
	}
	cmd.Flags().BoolVar(&wake, "wake", false, "open devices that are asleep or have a blanked screen, too")
	cmd.Flags().DurationVar(&wait, "wait", time.Second, "wait for NVML no longer than this `TIME`; a GPU that nobody uses can take seconds")
	addJSON(cmd)
	cmd.RunE = run(func(cmd *cobra.Command, _ []string) error {
		if wait <= 0 {
			return usageError("--wait %v: no time", wait)
		}
		devices, err := inventory.System{}.List(wake)
		if err != nil {
			return err
		}
		doc := &listJSON{Schema: "gemtool.list/v1", Devices: []deviceJSON{}}
		for _, d := range devices {
			doc.Devices = append(doc.Devices, newDeviceJSON(d))
		}
		if inventory.NVIDIAAsleep(devices) {
			doc.NVML = "not asked: a GPU is asleep (--wake asks)"
		} else if err := doc.addGPUs(nvml.Ask(cmd.Context(), nvml.New(), wait)); err != nil {
			return err
		}
		if len(doc.Devices) == 0 {
			err := errNoDRM
			if doc.NVML != "" {
				err = fmt.Errorf("%w; NVML: %s", err, doc.NVML)
			}
			return showNothing(cmd, doc, err)
		}
		return show(cmd, doc)
	})
	return cmd
}

type listJSON struct {
	Schema  string       `json:"schema"`
	Devices []deviceJSON `json:"devices"`
	NVML    string       `json:"nvml,omitempty"` // why NVML said nothing, if there was something to hope for
}

type deviceJSON struct {
	Name      string        `json:"name"` // for bus: of --device; empty for a device without a bus
	Bus       string        `json:"bus,omitempty"`
	Driver    string        `json:"driver,omitempty"`
	Version   *versionTriad `json:"version"` // of the driver; null: it could not be asked
	Vendor    nameJSON      `json:"vendor"`
	Product   nameJSON      `json:"product"`
	Nodes     []nodeJSON    `json:"nodes"`
	Asleep    bool          `json:"asleep"`
	ScreenOff bool          `json:"screen_off"` // blanked, and not opened, as that would turn it on
	Can       canJSON       `json:"can"`
	Hints     []string      `json:"hints,omitempty"`
	NVIDIA    *gpuJSON      `json:"nvidia,omitempty"`
}

type versionTriad struct {
	Major int `json:"major"`
	Minor int `json:"minor"`
	Patch int `json:"patch"`
}

type nameJSON struct {
	ID   *uint16 `json:"id"` // the bus's number for it
	Name string  `json:"name,omitempty"`
}

type nodeJSON struct {
	Kind   string `json:"kind"` // card, render or accel
	Path   string `json:"path"`
	Access string `json:"access"`          // ok, denied or missing
	Group  string `json:"group,omitempty"` // whose members may open it
	Error  string `json:"error,omitempty"`
}

// canJSON has null for what is not known.
type canJSON struct {
	Dumb          *bool `json:"dumb"`
	ShareOut      *bool `json:"share_out"`
	TakeIn        *bool `json:"take_in"`
	ScanOut       *bool `json:"scan_out"`
	Atomic        *bool `json:"atomic"`
	SyncObjects   *bool `json:"sync_objects"`
	SyncTimelines *bool `json:"sync_timelines"`
}

type gpuJSON struct {
	Product     string `json:"product,omitempty"`
	UUID        string `json:"uuid,omitempty"`
	Driver      string `json:"driver,omitempty"`
	Firmware    string `json:"firmware,omitempty"`
	VBIOS       string `json:"vbios,omitempty"`
	MemoryTotal uint64 `json:"memory_total"` // bytes
	MemoryUsed  uint64 `json:"memory_used"`
}

func newDeviceJSON(d *inventory.Device) deviceJSON {
	j := deviceJSON{
		Bus: d.Bus, Driver: d.Driver, Asleep: d.Asleep, ScreenOff: d.ScreenOff, Hints: d.Hints, Nodes: []nodeJSON{},
		Vendor: nameJSON{d.Vendor.ID, d.Vendor.Text}, Product: nameJSON{d.Product.ID, d.Product.Text},
		Can: canJSON{
			Dumb: known(d.Can.Dumb), ShareOut: known(d.Can.ShareOut), TakeIn: known(d.Can.TakeIn),
			ScanOut: known(d.Can.ScanOut), Atomic: known(d.Can.Atomic),
			SyncObjects: known(d.Can.SyncObjects), SyncTimelines: known(d.Can.SyncTimelines),
		},
	}
	if d.Bus != "" {
		j.Name = d.BusID()
	}
	if v := d.Version; v != nil {
		j.Version = &versionTriad{v.Major, v.Minor, v.Patch}
	}
	for _, n := range d.Nodes {
		node := nodeJSON{Kind: n.Kind.String(), Path: n.Path, Group: n.Group,
			Access: map[inventory.Access]string{inventory.Permitted: "ok", inventory.Denied: "denied", inventory.Missing: "missing"}[n.Access]}
		if n.Err != nil {
			node.Error = n.Err.Error()
		}
		j.Nodes = append(j.Nodes, node)
	}
	return j
}

func known(a inventory.Answer) *bool {
	if a == inventory.Unknown {
		return nil
	}
	yes := a == inventory.Yes
	return &yes
}

// addGPUs joins what NVML knows with the devices, by address. Its error is an
// interrupt: that NVML has nothing to say is a result.
func (l *listJSON) addGPUs(gpus []nvml.GPU, err error) error {
	switch {
	case errors.Is(err, nvml.ErrNotBuilt), errors.Is(err, nvml.ErrNoLibrary):
	case errors.Is(err, nvml.ErrTimeout):
		l.NVML = err.Error() + ": --wait 10s gives it more"
	case errors.Is(err, nvml.ErrSymbol):
		l.NVML = err.Error()
	case err != nil && strings.HasPrefix(err.Error(), "nvml"):
		l.NVML = err.Error()
	case err != nil:
		return err
	}
	for _, g := range gpus {
		j := &gpuJSON{g.Product, g.UUID, g.Driver, g.Firmware, g.VBIOS, g.MemoryTotal, g.MemoryUsed}
		d := l.device("pci:" + g.Address)
		d.NVIDIA = j
		if d.Product.Name == "" {
			d.Product.Name = g.Product
		}
	}
	return nil
}

// device returns the device of a name, and makes one where there is none: a GPU
// that only NVML sees.
func (l *listJSON) device(name string) *deviceJSON {
	for i := range l.Devices {
		if l.Devices[i].Name == name {
			return &l.Devices[i]
		}
	}
	l.Devices = append(l.Devices, deviceJSON{Name: name, Bus: "pci", Driver: "nvidia", Nodes: []nodeJSON{}})
	return &l.Devices[len(l.Devices)-1]
}

func (l *listJSON) text(p *page) {
	var rows [][]string
	for _, d := range l.Devices {
		rows = append(rows, d.row(p))
	}
	p.table([]string{"device", "driver", "product", "nodes", "can"}, rows)
	for i, line := range slices.Concat(l.gpus(), l.notes()) {
		if i == 0 {
			p.line("")
		}
		p.line("%s", line)
	}
}

// gpus say what NVML knows.
func (l *listJSON) gpus() (lines []string) {
	for _, d := range l.Devices {
		g := d.NVIDIA
		if g == nil {
			continue
		}
		facts := []string{fmt.Sprintf("%d of %d MiB used", g.MemoryUsed>>20, g.MemoryTotal>>20)}
		for _, f := range [...][2]string{{"", g.UUID}, {"driver ", g.Driver}, {"firmware ", g.Firmware}, {"VBIOS ", g.VBIOS}} {
			if f[1] != "" {
				facts = append(facts, f[0]+words.Escape(f[1]))
			}
		}
		lines = append(lines, fmt.Sprintf("%s: %s: %s", d.label(), words.Escape(g.Product), strings.Join(facts, ", ")))
	}
	return lines
}

func (d *deviceJSON) row(p *page) []string {
	driver := words.Escape(d.Driver)
	if v := d.Version; v != nil {
		driver += fmt.Sprintf(" %d.%d.%d", v.Major, v.Minor, v.Patch)
	}
	var nodes []string
	for _, n := range d.Nodes {
		text := filepath.Base(n.Path)
		switch {
		case n.Access != "ok":
			text = p.paint(yellow, text+" ("+n.Access+")")
		case n.Error != "":
			text = p.paint(red, text+" (fails)")
		}
		nodes = append(nodes, text)
	}
	return []string{d.label(), driver, d.product(), strings.Join(nodes, ", "), d.abilities(p)}
}

// label names the device: without a bus by its first node.
func (d *deviceJSON) label() string {
	if d.Name == "" && len(d.Nodes) > 0 {
		return words.Escape(filepath.Base(d.Nodes[0].Path))
	}
	return words.Escape(d.Name)
}

// product names the product, by numbers where nobody knows better.
func (d *deviceJSON) product() string {
	var parts []string
	for _, n := range []nameJSON{d.Vendor, d.Product} {
		switch {
		case n.Name != "":
			parts = append(parts, words.Escape(n.Name))
		case n.ID != nil:
			parts = append(parts, fmt.Sprintf("%04x", *n.ID))
		}
	}
	if d.Vendor.Name == "" && d.Product.Name == "" {
		return strings.Join(parts, ":") // as lspci -n writes numbers
	}
	return strings.Join(parts, " ")
}

// abilities lists what the device can do; "?" stands for more that could not be
// asked.
func (d *deviceJSON) abilities(p *page) string {
	switch {
	case d.Asleep:
		return p.paint(yellow, "asleep (--wake opens it)")
	case d.ScreenOff:
		return p.paint(yellow, "screen off (--wake opens it)")
	}
	var can []string
	unknown := false
	for _, a := range []struct {
		name string
		yes  *bool
	}{
		{"dumb", d.Can.Dumb}, {"share out", d.Can.ShareOut}, {"take in", d.Can.TakeIn}, {"scan out", d.Can.ScanOut},
		{"atomic", d.Can.Atomic}, {"sync objects", d.Can.SyncObjects}, {"timelines", d.Can.SyncTimelines},
	} {
		if a.yes == nil {
			unknown = true
		} else if *a.yes {
			can = append(can, a.name)
		}
	}
	if unknown {
		can = append(can, "?")
	}
	return strings.Join(can, ", ")
}

// notes say what keeps this user from more.
func (l *listJSON) notes() (lines []string) {
	groups := map[string][]string{}
	var order []string
	for _, d := range l.Devices {
		for _, n := range d.Nodes {
			key := ""
			switch {
			case n.Access == "denied" && n.Group != "":
				key = "may not be opened without being in the group " + words.Escape(n.Group)
			case n.Access == "denied":
				key = "may be opened by root alone"
			case n.Access == "missing":
				key = "is in /sys and not in /dev: give a container its nodes"
			case n.Error != "":
				key = "cannot be opened: " + words.Escape(n.Error)
			default:
				continue
			}
			if groups[key] == nil {
				order = append(order, key)
			}
			groups[key] = append(groups[key], n.Path)
		}
	}
	for _, key := range order {
		lines = append(lines, strings.Join(groups[key], ", ")+": "+key)
	}
	for _, d := range l.Devices {
		for _, hint := range d.Hints {
			lines = append(lines, d.label()+": "+hint)
		}
	}
	if l.NVML != "" {
		lines = append(lines, "NVML: "+words.Escape(l.NVML))
	}
	return lines
}
