package command

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/inventory"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
	"github.com/gemtool/gemtool/drm"
)

// addDevices adds the flag that selects devices.
func addDevices(cmd *cobra.Command, devices *[]string, usage string) {
	cmd.Flags().StringArrayVar(devices, "device", nil, usage+" `DEVICE`: card0, a path, driver:NAME or bus:ID; repeatable")
	// The flag is there: it was added just now.
	_ = cmd.RegisterFlagCompletionFunc("device", completeDevices)
}

// completeDevices offers the names of nodes and devices, without opening one.
func completeDevices(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	infos, err := drm.Devices()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, info := range infos {
		for _, n := range info.Nodes {
			names = append(names, filepath.Base(n.Path)+"\t"+words.Escape(info.BusID()))
		}
		if info.Bus != "" {
			names = append(names, "bus:"+words.Escape(info.BusID()))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeDevice offers them for the first argument.
func completeDevice(cmd *cobra.Command, args []string, s string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeDevices(cmd, args, s)
}

// errNoDRM says that there is nothing at all to name.
var errNoDRM = errors.New("this machine has no DRM device; gemtool vm has some")

// openDevice opens the node that a user names: by its own name or path that
// node, by driver or bus the device's first node of a kind. Only a driver's
// name, which sysfs does not know, takes opening others to find out: last those
// that are asleep.
func openDevice(name string, kind drm.NodeKind) (*drm.Device, error) {
	filter, err := drm.ParseFilter(name)
	if err != nil {
		return nil, usageError("%w", err)
	}
	infos, err := drm.Devices()
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	driver, byDriver := strings.CutPrefix(name, "driver:")
	if byDriver {
		infos = inventory.System{}.ByDriver(infos, driver)
	}
	var failed []error
	for _, info := range infos {
		node, ok := info.Node(kind)
		for _, n := range info.Nodes {
			if n.Path == name || filepath.Base(n.Path) == name {
				node, ok = n, true
			}
		}
		switch {
		case !ok, !byDriver && !filter.Match(info, ""):
			continue
		case !byDriver:
			return drm.Open(node.Path, drm.Options{})
		}
		d, err := drm.Open(node.Path, drm.Options{})
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if v, err := d.Version(); err == nil && filter.Match(info, v.Name) {
			return d, nil
		}
		d.Close()
	}
	if strings.Contains(name, "/") {
		d, err := drm.Open(name, drm.Options{})
		if err != nil && !errors.Is(err, fs.ErrPermission) {
			return nil, usageError("%w", err)
		}
		return d, err
	}
	return nil, noDevice(fmt.Sprintf("%q with a %v node", name, kind), len(infos), failed)
}

// errAsleep says that a device was left alone.
var errAsleep = errors.New("asleep, or its screen is off: --wake opens it")

// noDevice says that none of all devices is what was named, as far as they could
// be asked, and what the others failed with.
func noDevice(named string, all int, failed []error) error {
	switch {
	case all == 0:
		return &exitError{ExitNothing, errNoDRM}
	case len(failed) > 0:
		err := fmt.Errorf("no device %s among those that can be opened; %d cannot, the first because: %w", named, len(failed), failed[0])
		if notOpened(err) || errors.Is(err, errAsleep) {
			return &exitError{ExitNothing, err}
		}
		return err
	}
	return usageError("no device %s: gemtool list shows those that are there", named)
}
