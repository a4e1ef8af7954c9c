package command

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/devinfo"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/kms"
)

func newProps() *cobra.Command {
	props := &cobra.Command{
		Use:   "props",
		Short: "Show the properties of a device's display pipelines",
	}
	get := &cobra.Command{
		Use:   "get DEVICE [OBJECT [PROPERTY]]",
		Short: "Show the properties of one object, or of all",
		Long: `Get shows the properties of the CRTCs, connectors and planes of a device, with
the atomic ones where the device has them, and changes nothing. OBJECT is an id,
such as 34, or with its kind, plane:34. Without PROPERTY all are shown, with
their values in words; --json has the numbers, too, and what they may be.`,
		Example: `  gemtool props get card0
  gemtool props get driver:vkms plane:34 type`,
		Args:              arguments,
		ValidArgsFunction: completeDevice,
		RunE: run(func(cmd *cobra.Command, args []string) error {
			var object, property string
			if len(args) > 1 {
				object = args[1]
			}
			if len(args) > 2 {
				property = args[2]
			}
			kind, id, err := parseObject(object)
			if err != nil {
				return err
			}
			d, err := openDevice(args[0], drm.NodePrimary)
			if err != nil {
				return err
			}
			defer d.Close()
			doc, err := readProps(d, func(o objectJSON) bool { return (kind == "" || kind == o.Kind) && (id == 0 || id == o.ID) }, property)
			if err != nil {
				return err
			}
			if len(doc.Objects) == 0 {
				return usageError("%s has no %s", d.Path(), cmp.Or(object, "object"))
			}
			if property != "" {
				doc.Objects = slices.DeleteFunc(doc.Objects, func(o objectJSON) bool { return len(o.Properties) == 0 })
			}
			if len(doc.Objects) == 0 {
				return usageError("%s has no %s with a property %q", d.Path(), cmp.Or(object, "object"), property)
			}
			return show(cmd, doc)
		}),
	}
	addJSON(get)
	props.AddCommand(get)
	// Without a verb there is nothing to do, and cobra would show the help.
	props.Args = cobra.ArbitraryArgs
	props.RunE = run(func(*cobra.Command, []string) error { return usageError("props: say get") })
	return props
}

type propsJSON struct {
	Schema  string       `json:"schema"`
	Node    string       `json:"node"`
	Objects []objectJSON `json:"objects"`
}

type objectJSON struct {
	Kind       string             `json:"kind"` // crtc, connector or plane
	ID         uint32             `json:"id"`
	Properties []devinfo.Property `json:"properties"` // by name
}

// parseObject parses "", "34", "plane" and "plane:34". An id of 0 is any.
func parseObject(s string) (kind string, id uint32, err error) {
	if s == "" {
		return "", 0, nil
	}
	kind, number, ok := strings.Cut(s, ":")
	if !ok && strings.Trim(s, "0123456789") == "" {
		kind, number, ok = "", s, true
	}
	if kind != "" && !slices.Contains([]string{"crtc", "connector", "plane"}, kind) {
		return "", 0, usageError("object %q: want crtc, connector or plane, an id, or both as plane:34", s)
	}
	if !ok {
		return kind, 0, nil
	}
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil || n == 0 {
		return "", 0, usageError("object %q: no id", s)
	}
	return kind, uint32(n), nil
}

func readProps(d *drm.Device, wanted func(objectJSON) bool, property string) (*propsJSON, error) {
	// Without these caps objects and properties are hidden.
	if err := d.SetClientCap(drm.ClientCapAtomic, 1); err == nil {
		_ = d.SetClientCap(drm.ClientCapWritebackConnectors, 1) // since Linux 4.19
		_ = d.SetClientCap(drm.ClientCapCursorPlaneHotspot, 1)  // of virtual machines, after Linux 6.1
	} else if err := d.SetClientCap(drm.ClientCapUniversalPlanes, 1); err != nil && !errors.Is(err, drm.ErrNotSupported) {
		return nil, err
	}
	r, err := kms.ReadResources(d)
	if err != nil {
		return nil, err
	}
	planes, err := kms.ReadPlanes(d)
	if err != nil {
		return nil, err
	}
	doc := &propsJSON{Schema: "gemtool.props/v1", Node: d.Path(), Objects: []objectJSON{}}
	add := func(kind string, id uint32, o kms.Object) error {
		j := objectJSON{Kind: kind, ID: id, Properties: []devinfo.Property{}}
		if !wanted(j) {
			return nil
		}
		props, err := devinfo.ReadProperties(d, o)
		if err != nil {
			return err
		}
		slices.SortFunc(props, func(a, b devinfo.Property) int { return cmp.Compare(a.Name, b.Name) })
		for _, p := range props {
			if property == "" || p.Name == property {
				j.Properties = append(j.Properties, p)
			}
		}
		doc.Objects = append(doc.Objects, j)
		return nil
	}
	for _, id := range r.CRTCs {
		if err := add("crtc", uint32(id), id.Object()); err != nil {
			return nil, err
		}
	}
	for _, id := range r.Connectors {
		if err := add("connector", uint32(id), id.Object()); err != nil {
			return nil, err
		}
	}
	for _, p := range planes {
		if err := add("plane", uint32(p.ID), p.ID.Object()); err != nil {
			return nil, err
		}
	}
	return doc, nil
}

func (d *propsJSON) text(p *page) {
	var rows [][]string
	for _, o := range d.Objects {
		for i := range o.Properties {
			x := &o.Properties[i]
			rows = append(rows, []string{fmt.Sprintf("%s:%d", o.Kind, o.ID), words.Escape(x.Name), fmt.Sprint(x.ID), valueText(x)})
		}
	}
	p.table([]string{"object", "property", "id", "value"}, rows)
}
