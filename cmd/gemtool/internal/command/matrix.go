package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/matrix"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
)

func newMatrix() *cobra.Command {
	var (
		size    string
		devices []string
		scanout bool
		dir     string
	)
	cmd := &cobra.Command{
		Use:   "matrix",
		Short: "Share a buffer between every pair of devices",
		Long: `Matrix shares a real buffer between every pair of exporter and importer on this
machine, with a picture in it, and says how deep each pair was proven:

  attach   the importer accepted the dma-buf
  cpu      every pixel was right through the dma-buf, both ways
  fb       the importer made a framebuffer of it
  engine   the importer's hardware read it, and every pixel was right

Exporters are every device's card node, udmabuf and the dma-heaps; importers
are every card and render node. A cell of a device with itself says self: that
is no import. A pair that failed shows the step and the errno, and a line below
the table says what it means.

Exit codes: 0 all that was tried works, or is known not to be supported, or is
not permitted; 1 wrong pixels or a broken rule; 77 nothing could be tested.`,
		Args:              arguments,
		ValidArgsFunction: nothing,
	}
	flags := cmd.Flags()
	flags.StringVar(&size, "size", "256x192", "`WxH` of the picture in pixels")
	addDevices(cmd, &devices, "test, besides udmabuf and heaps, only this")
	flags.BoolVar(&scanout, "scanout", false, "show the picture on real displays, too, where it can be read back")
	flags.StringVar(&dir, "png", "", "write what each importer read to `DIR`/EXPORTER-IMPORTER.png")
	addJSON(cmd)
	cmd.RunE = run(func(cmd *cobra.Command, _ []string) error {
		width, height, err := parseSize(size)
		if err != nil {
			return usageError("--size %q: %w", size, err)
		}
		return runMatrix(cmd, devices, dir, matrix.Config{Width: width, Height: height, Scanout: scanout})
	})
	return cmd
}

// The sizes that make sense: a picture needs some place, and no mode is larger.
const (
	minSize = 16
	maxSize = 8192
)

func parseSize(s string) (width, height int, err error) {
	w, h, ok := strings.Cut(s, "x")
	if ok {
		width, err = strconv.Atoi(w)
	}
	if ok && err == nil {
		height, err = strconv.Atoi(h)
	}
	if !ok || err != nil || min(width, height) < minSize || max(width, height) > maxSize {
		return 0, 0, fmt.Errorf("want WxH, each from %d to %d", minSize, maxSize)
	}
	return width, height, nil
}

func runMatrix(cmd *cobra.Command, devices []string, dir string, config matrix.Config) error {
	set, err := matrix.Find(devices)
	if errors.Is(err, matrix.ErrNoDevice) && !errors.Is(err, fs.ErrPermission) {
		return usageError("--device: %w", err)
	}
	if errors.Is(err, matrix.ErrNoDevice) {
		return &exitError{ExitNothing, fmt.Errorf("--device: %w", err)}
	}
	if err != nil {
		return err
	}
	if err := testable(set); err != nil {
		return showNothing(cmd, newMatrixJSON(set, nil, config, nil), err)
	}
	for _, err := range set.Missing {
		say(cmd.ErrOrStderr(), "left out: %v", err)
	}
	var pictures *pictures
	if dir != "" {
		if pictures, err = newPictures(dir, config.Width, config.Height); err != nil {
			return fmt.Errorf("--png: %w", err)
		}
		config.Picture = pictures.write
	}
	step, end := progress(cmd, len(set.Exporters)*len(set.Importers))
	config.Progress = func(c *matrix.Cell) { step(c.Exporter.Name + " into " + c.Importer.Name) }
	cells, err := matrix.Run(cmd.Context(), set, config)
	end()
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted after %d of %d pairs", len(cells), len(set.Exporters)*len(set.Importers))
	}
	if err != nil {
		return err
	}
	err = show(cmd, newMatrixJSON(set, cells, config, pictures))
	if err == nil && pictures != nil && pictures.err != nil {
		err = fmt.Errorf("--png: %w", pictures.err)
	}
	if err != nil {
		return err
	}
	return verdict(set, cells)
}

// testable says why there is nothing to test.
func testable(set *matrix.Set) error {
	denied, all := set.Denied()
	switch {
	case len(set.Importers) == 0 && len(set.Missing) > 0:
		return errors.New("nothing to test: /sys has DRM devices, but their nodes cannot be opened; give a container its nodes under /dev/dri")
	case len(set.Importers) == 0:
		return fmt.Errorf("nothing to test: %w", errNoDRM)
	case len(set.Exporters) == 0:
		return errors.New("nothing to test: no device here can allocate, and there is neither udmabuf nor a dma-heap")
	case denied == all:
		return fmt.Errorf("nothing may be tested: %s; the groups video and render usually own the nodes", notPermitted(denied, all))
	}
	return nil
}

func notPermitted(denied, all int) string {
	return fmt.Sprintf("%d of %d endpoints not permitted", denied, all)
}

// verdict chooses the exit code.
func verdict(set *matrix.Set, cells []*matrix.Cell) error {
	tested := false
	for _, c := range cells {
		if c.Outcome == matrix.Failed {
			return &exitError{code: ExitFailed}
		}
		tested = tested || c.Outcome != matrix.Denied
	}
	if !tested {
		denied, all := set.Denied()
		return &exitError{ExitNothing, fmt.Errorf("no pair may be tested: %s", notPermitted(denied, all))}
	}
	return nil
}

func (m *matrixJSON) text(p *page) {
	head := []string{"exporter \\ importer"}
	for _, i := range m.set.Importers {
		head = append(head, i.Name)
	}
	var rows [][]string
	for r, e := range m.set.Exporters {
		row := []string{e.Name}
		for _, c := range m.cells[r*len(m.set.Importers):][:len(m.set.Importers)] {
			row = append(row, p.paint(cellColors[c.Outcome], c.String()))
		}
		rows = append(rows, row)
	}
	p.table(head, rows)
	denied := ""
	if n, all := m.set.Denied(); n > 0 {
		denied = notPermitted(n, all)
	}
	for _, part := range []struct {
		indent int
		lines  []string
	}{
		{legendIndent, legend(m.set, m.cells)}, {2, matrix.Explain(m.cells)}, {2, matrix.EngineLeftOut(m.cells)}, {0, []string{denied}},
	} {
		for i, line := range part.lines {
			if i == 0 && line != "" {
				p.line("")
			}
			if line != "" {
				p.hang(part.indent, "%s", line)
			}
		}
	}
}

// cellColors has none for what is not permitted: that says nothing of a pair.
var cellColors = map[matrix.Outcome]color{matrix.OK: green, matrix.Refused: yellow, matrix.Failed: red}

// legendIndent is where the legend's explanations begin.
const legendIndent = 8

// legend explains the words that stand in the table.
func legend(set *matrix.Set, cells []*matrix.Cell) (lines []string) {
	var closed []string
	paths := map[string]bool{}
	for _, e := range slices.Concat(set.Exporters, set.Importers) {
		if e.Err == nil || paths[e.Path] {
			continue
		}
		paths[e.Path] = true
		name := words.Escape(e.Path)
		if e.Group != "" {
			name += " (group " + words.Escape(e.Group) + ")"
		}
		closed = append(closed, name)
	}
	shown := map[string]bool{}
	for _, c := range cells {
		shown[c.String()] = true
	}
	for _, l := range [...][2]string{
		{"attach", "the importer accepted the dma-buf"},
		{"cpu", "every pixel was right through the dma-buf, both ways; whether the importer can read it is not proven"},
		{"fb", "the importer made a framebuffer of it, too"},
		{"engine", "the importer's hardware read every pixel right, too"},
		{"self", "same device: no import"},
		{"denied", "may not be opened: " + strings.Join(closed, ", ")},
	} {
		if shown[l[0]] {
			lines = append(lines, fmt.Sprintf("%-*s%s", legendIndent, l[0], l[1]))
		}
	}
	return lines
}

type matrixJSON struct {
	Schema    string         `json:"schema"`
	Kernel    string         `json:"kernel"` // its release
	Width     int            `json:"width"`
	Height    int            `json:"height"`
	Exporters []endpointJSON `json:"exporters"`
	Importers []endpointJSON `json:"importers"`
	Pairs     []pairJSON     `json:"pairs"`
	Denied    int            `json:"denied"`    // endpoints not permitted
	Endpoints int            `json:"endpoints"` // all of them

	set   *matrix.Set
	cells []*matrix.Cell
}

const matrixSchema = "gemtool.matrix/v1"

type endpointJSON struct {
	Name   string `json:"name"`
	Driver string `json:"driver,omitempty"`
	Bus    string `json:"bus,omitempty"`
	Path   string `json:"path"`
	Error  string `json:"error,omitempty"`
}

type pairJSON struct {
	Exporter string     `json:"exporter"`
	Importer string     `json:"importer"`
	Cell     string     `json:"cell"` // as in the table
	Self     bool       `json:"self"`
	Depth    string     `json:"depth"`
	Outcome  string     `json:"outcome"`
	Picture  string     `json:"picture,omitempty"` // name in the directory of --png
	Steps    []stepJSON `json:"steps"`
}

type stepJSON struct {
	Name    string `json:"name"`
	Outcome string `json:"outcome"`
	Code    string `json:"code,omitempty"` // the errno's name, or what rule is broken
	Error   string `json:"error,omitempty"`
	NS      int64  `json:"ns"`
}

func newMatrixJSON(set *matrix.Set, cells []*matrix.Cell, config matrix.Config, pictures *pictures) *matrixJSON {
	doc := &matrixJSON{
		Schema: matrixSchema, Kernel: readKernel().Release, Width: config.Width, Height: config.Height,
		Exporters: endpointsJSON(set.Exporters), Importers: endpointsJSON(set.Importers),
		Pairs: []pairJSON{}, set: set, cells: cells,
	}
	doc.Denied, doc.Endpoints = set.Denied()
	for _, c := range cells {
		p := pairJSON{
			Exporter: c.Exporter.Name, Importer: c.Importer.Name, Cell: c.String(),
			Self: c.Self, Depth: c.Depth.String(), Outcome: c.Outcome.String(), Steps: []stepJSON{},
		}
		if pictures != nil {
			p.Picture = pictures.names[c]
		}
		for _, s := range c.Steps {
			j := stepJSON{Name: s.Name, Outcome: s.Outcome.String(), NS: s.Time.Nanoseconds()}
			if s.Err != nil {
				j.Error = s.Err.Error()
			}
			if s.Err != nil && s.Outcome != matrix.NotTried {
				j.Code = matrix.Code(s.Err)
			}
			p.Steps = append(p.Steps, j)
		}
		doc.Pairs = append(doc.Pairs, p)
	}
	return doc
}

func endpointsJSON(endpoints []*matrix.Endpoint) []endpointJSON {
	all := []endpointJSON{}
	for _, e := range endpoints {
		j := endpointJSON{Name: e.Name, Driver: e.Driver, Bus: e.Bus, Path: e.Path}
		if e.Err != nil {
			j.Error = e.Err.Error()
		}
		all = append(all, j)
	}
	return all
}
