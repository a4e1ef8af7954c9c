package command

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/kms"
)

func newCaps() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "caps DEVICE",
		Short: "Show a device's caps, client caps and formats",
		Long: `Caps asks a device for all caps and client caps that Linux 7.2 knows, and for the
formats of its planes. A cap that is not there shows the errno in its place. Caps
are hints: vgem denies dumb buffers and makes them. DEVICE is card0, a path,
driver:NAME or bus:ID.`,
		Args:              arguments,
		ValidArgsFunction: completeDevice,
		RunE: run(func(cmd *cobra.Command, args []string) error {
			d, err := openDevice(args[0], drm.NodePrimary)
			if err != nil {
				return err
			}
			defer d.Close()
			doc, err := readCaps(d)
			if err != nil {
				return err
			}
			return show(cmd, doc)
		}),
	}
	addJSON(cmd)
	return cmd
}

type capsJSON struct {
	Schema     string       `json:"schema"`
	Node       string       `json:"node"`
	Driver     string       `json:"driver"`
	Caps       []capJSON    `json:"caps"`
	ClientCaps []capJSON    `json:"client_caps"` // 1: the device lets a client set it
	Planes     []formatJSON `json:"planes"`      // empty without modesetting
}

type capJSON struct {
	Name  string  `json:"name"`
	Value *uint64 `json:"value"` // null: see the errno
	Errno string  `json:"errno,omitempty"`
}

type formatJSON struct {
	Plane   uint32   `json:"plane"`
	Formats []string `json:"formats"` // names without DRM_FORMAT_, as XRGB8888
}

var capNames = []struct {
	cap  drm.Cap
	name string
}{
	{drm.CapDumbBuffer, "DUMB_BUFFER"},
	{drm.CapVBlankHighCRTC, "VBLANK_HIGH_CRTC"},
	{drm.CapDumbPreferredDepth, "DUMB_PREFERRED_DEPTH"},
	{drm.CapDumbPreferShadow, "DUMB_PREFER_SHADOW"},
	{drm.CapPrime, "PRIME"},
	{drm.CapTimestampMonotonic, "TIMESTAMP_MONOTONIC"},
	{drm.CapAsyncPageFlip, "ASYNC_PAGE_FLIP"},
	{drm.CapCursorWidth, "CURSOR_WIDTH"},
	{drm.CapCursorHeight, "CURSOR_HEIGHT"},
	{drm.CapAddFB2Modifiers, "ADDFB2_MODIFIERS"},
	{drm.CapPageFlipTarget, "PAGE_FLIP_TARGET"},
	{drm.CapCRTCInVBlankEvent, "CRTC_IN_VBLANK_EVENT"},
	{drm.CapSyncobj, "SYNCOBJ"},
	{drm.CapSyncobjTimeline, "SYNCOBJ_TIMELINE"},
	{drm.CapAtomicAsyncPageFlip, "ATOMIC_ASYNC_PAGE_FLIP"},
}

// clientCapNames are in the order in which one needs another.
var clientCapNames = []struct {
	cap  drm.ClientCap
	name string
}{
	{drm.ClientCapStereo3D, "STEREO_3D"},
	{drm.ClientCapUniversalPlanes, "UNIVERSAL_PLANES"},
	{drm.ClientCapAtomic, "ATOMIC"},
	{drm.ClientCapAspectRatio, "ASPECT_RATIO"},
	{drm.ClientCapWritebackConnectors, "WRITEBACK_CONNECTORS"},
	{drm.ClientCapCursorPlaneHotspot, "CURSOR_PLANE_HOTSPOT"},
	{drm.ClientCapPlaneColorPipeline, "PLANE_COLOR_PIPELINE"},
}

func readCaps(d *drm.Device) (*capsJSON, error) {
	v, err := d.Version()
	if err != nil {
		return nil, err
	}
	doc := &capsJSON{Schema: "gemtool.caps/v1", Node: d.Path(), Driver: v.Name, Planes: []formatJSON{}}
	for _, c := range capNames {
		value, err := d.Cap(c.cap)
		doc.Caps = append(doc.Caps, newCapJSON(c.name, value, err))
	}
	for _, c := range clientCapNames {
		doc.ClientCaps = append(doc.ClientCaps, newCapJSON(c.name, 1, d.SetClientCap(c.cap, 1)))
	}
	// Render nodes and devices without modesetting have no planes.
	planes, err := kms.ReadPlanes(d)
	if errors.Is(err, drm.ErrNotSupported) || errors.Is(err, drm.ErrPermission) {
		return doc, nil
	}
	for _, p := range planes {
		j := formatJSON{Plane: uint32(p.ID), Formats: []string{}}
		for _, f := range p.Formats {
			j.Formats = append(j.Formats, f.Name())
		}
		doc.Planes = append(doc.Planes, j)
	}
	return doc, err
}

func newCapJSON(name string, value uint64, err error) capJSON {
	if err == nil {
		return capJSON{Name: name, Value: &value}
	}
	var errno syscall.Errno
	errors.As(err, &errno)
	return capJSON{Name: name, Errno: words.Name(errno)}
}

func (c *capsJSON) text(p *page) {
	p.line("%s (%s)", words.Escape(c.Node), words.Escape(c.Driver))
	var rows [][]string
	for _, x := range c.Caps {
		rows = append(rows, []string{x.Name, x.text(p, fmt.Sprint)})
	}
	p.table([]string{"cap", "value"}, rows)
	rows = nil
	for _, x := range c.ClientCaps {
		rows = append(rows, []string{x.Name, x.text(p, func(...any) string { return "yes" })})
	}
	p.table([]string{"client cap", "can be set"}, rows)
	rows = nil
	for _, x := range c.Planes {
		rows = append(rows, []string{fmt.Sprint(x.Plane), words.Escape(strings.Join(x.Formats, " "))})
	}
	if len(rows) > 0 {
		p.table([]string{"plane", "formats"}, rows)
	}
}

func (c capJSON) text(p *page, value func(...any) string) string {
	if c.Value == nil {
		return p.paint(yellow, c.Errno)
	}
	return value(*c.Value)
}
