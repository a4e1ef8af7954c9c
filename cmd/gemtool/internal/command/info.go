package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/devinfo"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/inventory"
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fdinfo"
)

func newInfo() *cobra.Command {
	var wake, probe bool
	cmd := &cobra.Command{
		Use:   "info [DEVICE]",
		Short: "Show all that a device says of itself",
		Long: `Info shows what the kernel and its driver say of a device, or of all: driver, bus
and nodes, caps, what it can do with buffers, its display pipelines with all
properties in words, and who has it open with how much memory.

It changes nothing, does not stay the device's DRM master, and leaves alone what
is asleep, as list does. Displays are not looked at, as that can make them
flicker: what the kernel knew already is shown. --probe looks, if no display
server holds the device. DEVICE is card0, a path, driver:NAME or bus:ID.

Exit codes: 0 there are devices, 77 there is none, or none of that name that could
be asked.`,
		Args:              arguments,
		ValidArgsFunction: completeDevice,
	}
	cmd.Flags().BoolVar(&wake, "wake", false, "open devices that are asleep or have a blanked screen, too")
	cmd.Flags().BoolVar(&probe, "probe", false, "look at the displays; they may flicker")
	addJSON(cmd)
	cmd.RunE = run(func(cmd *cobra.Command, args []string) error {
		var name string
		if len(args) > 0 {
			name = args[0]
		}
		doc := &infoJSON{Schema: "gemtool.info/v1", Kernel: readKernel(), Devices: []infoDeviceJSON{}}
		devices, err := selectDevices(name, wake)
		if errors.Is(err, errNoDRM) {
			return showNothing(cmd, doc, err)
		}
		if err != nil {
			return err
		}
		for _, d := range devices {
			j, err := newInfoDevice(d, probe)
			if err != nil {
				return err
			}
			doc.Devices = append(doc.Devices, j)
		}
		return show(cmd, doc)
	})
	return cmd
}

// infoJSON has what list has of every device, and more.
type infoJSON struct {
	Schema  string           `json:"schema"`
	Kernel  kernelJSON       `json:"kernel"`
	Devices []infoDeviceJSON `json:"devices"`
}

type kernelJSON struct {
	Name    string `json:"name"` // Linux
	Release string `json:"release"`
	Version string `json:"version"`
}

type infoDeviceJSON struct {
	deviceJSON
	Nodes       []infoNodeJSON   `json:"nodes"`
	Description string           `json:"description,omitempty"` // by the driver
	Date        string           `json:"date,omitempty"`        // of the driver; newer kernels have none
	Hardware    devinfo.Bus      `json:"hardware"`
	ClientCaps  []capJSON        `json:"client_caps"` // of the card node; 1: a client may set it
	Display     *devinfo.Display `json:"display"`     // null: there is no modesetting, or the card node may not be opened
	Memory      *devinfo.Memory  `json:"memory"`
	Errors      []string         `json:"errors,omitempty"` // what could not be read, and why
}

type infoNodeJSON struct {
	nodeJSON
	Mode  string    `json:"mode,omitempty"`  // permissions: "-rw-rw----"
	Owner string    `json:"owner,omitempty"` // and group: "root:video"
	Caps  []capJSON `json:"caps"`
}

// selectDevices finds the devices that a user names, all for no name. Only a
// driver's name takes opening others to find out.
func selectDevices(name string, wake bool) ([]*inventory.Device, error) {
	infos, err := drm.Devices()
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	there := len(infos)
	if there == 0 {
		return nil, &exitError{ExitNothing, errNoDRM}
	}
	var filter drm.Filter
	byDriver := strings.HasPrefix(name, "driver:")
	if name != "" {
		if filter, err = drm.ParseFilter(name); err != nil {
			return nil, usageError("%w", err)
		}
	}
	if name != "" && !byDriver {
		var named []drm.Info
		for _, info := range infos {
			if filter.Match(info, "") {
				named = append(named, info)
			}
		}
		infos = named
	}
	all, err := inventory.System{Devices: func() ([]drm.Info, error) { return infos, nil }}.List(wake)
	if err != nil {
		return nil, err
	}
	var devices []*inventory.Device
	var failed []error
	for _, d := range all {
		if err := unasked(d); byDriver && err != nil {
			failed = append(failed, err)
		}
		if len(d.Nodes) > 0 && (!byDriver || filter.Match(d.Info, d.Driver)) {
			devices = append(devices, d)
		}
	}
	if len(devices) == 0 {
		return nil, noDevice(strconv.Quote(name), there, failed)
	}
	return devices, nil
}

// unasked says why a device could not be asked for its driver, nil if it was.
func unasked(d *inventory.Device) error {
	switch {
	case d.Version != nil || len(d.Nodes) == 0:
		return nil
	case d.Asleep || d.ScreenOff:
		return fmt.Errorf("%s: %w", d.Nodes[0].Path, errAsleep)
	case d.Nodes[0].Err != nil:
		return d.Nodes[0].Err
	case d.Nodes[0].Access == inventory.Missing:
		return &drm.Error{Op: "open", Path: d.Nodes[0].Path, Err: syscall.ENOENT}
	}
	return &drm.Error{Op: "open", Path: d.Nodes[0].Path, Err: syscall.EACCES}
}

func readKernel() (k kernelJSON) {
	for name, text := range map[string]*string{"ostype": &k.Name, "osrelease": &k.Release, "version": &k.Version} {
		b, _ := os.ReadFile(filepath.Join("/proc/sys/kernel", name)) // another system has none
		*text = strings.TrimSuffix(string(b), "\n")
	}
	return k
}

func newInfoDevice(d *inventory.Device, probe bool) (infoDeviceJSON, error) {
	j := infoDeviceJSON{deviceJSON: newDeviceJSON(d), Nodes: []infoNodeJSON{}, Hardware: devinfo.ReadBus("/sys", d.Info), ClientCaps: []capJSON{}}
	if v := d.Version; v != nil {
		j.Description, j.Date = v.Desc, v.Date
	}
	for i, n := range d.Nodes {
		node := infoNodeJSON{nodeJSON: j.deviceJSON.Nodes[i], Caps: []capJSON{}}
		node.Mode, node.Owner = permissions(n.Path)
		if !d.Asleep && !d.ScreenOff && n.Kind != drm.NodeAccel && n.Access == inventory.Permitted && n.Err == nil {
			if err := j.readNode(&node, n, probe); err != nil {
				j.Errors = append(j.Errors, err.Error())
			}
		}
		j.Nodes = append(j.Nodes, node)
	}
	j.deviceJSON.Nodes = nil
	memory, err := devinfo.ReadMemory(fdinfo.Default, d.Info)
	if err != nil {
		j.Errors = append(j.Errors, err.Error())
	}
	j.Memory = memory
	return j, nil
}

// readNode opens a node, which nobody else has the file of, so that client caps
// may be set and handles closed at will.
func (j *infoDeviceJSON) readNode(node *infoNodeJSON, n inventory.Node, probe bool) error {
	d, err := drm.Open(n.Path, drm.Options{KeepMaster: probe})
	if err != nil {
		return err
	}
	defer d.Close()
	for _, c := range capNames {
		value, err := d.Cap(c.cap)
		node.Caps = append(node.Caps, newCapJSON(c.name, value, err))
	}
	if n.Kind != drm.NodePrimary {
		return nil
	}
	pipelines := false
	for _, c := range clientCapNames {
		err := d.SetClientCap(c.cap, 1)
		j.ClientCaps = append(j.ClientCaps, newCapJSON(c.name, 1, err))
		pipelines = pipelines || c.cap == drm.ClientCapPlaneColorPipeline && err == nil
	}
	if pipelines { // with them planes hide the properties that they replace
		if err := d.SetClientCap(drm.ClientCapPlaneColorPipeline, 0); err != nil {
			return err
		}
	}
	display, err := devinfo.ReadDisplay(d, probe)
	if errors.Is(err, drm.ErrNotSupported) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the displays: %w", err)
	}
	j.Display = display
	if pipelines {
		if err := d.SetClientCap(drm.ClientCapPlaneColorPipeline, 1); err != nil {
			return err
		}
		display.ReadPipelines(d)
	}
	j.Errors = append(j.Errors, display.Errors...)
	return nil
}
