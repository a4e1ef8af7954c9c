package devinfo

import (
	"fmt"
	"slices"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/kms"
)

// Pipeline is a chain of color operations that a plane can send its pixels
// through.
type Pipeline struct {
	Name   string    `json:"name"`
	Active bool      `json:"active"` // the plane uses it
	Ops    []ColorOp `json:"ops"`    // in the order in which pixels go through
}

// ColorOp is a color operation.
type ColorOp struct {
	ID         uint32     `json:"id"`
	Type       string     `json:"type"`
	Properties []Property `json:"properties"`
}

// ReadPipelines adds the color pipelines of the planes, which a file sees that
// has [drm.ClientCapPlaneColorPipeline], and which hides other properties then:
// it comes after ReadDisplay.
//
// Source: drm_colorop.c. The property COLOR_PIPELINE of a plane names the first
// operations, and NEXT of each the next one.
func (out *Display) ReadPipelines(d *drm.Device) {
	for i := range out.Planes {
		plane := &out.Planes[i]
		props, err := ReadProperties(d, kms.PlaneID(plane.ID).Object())
		if err != nil {
			out.Errors = append(out.Errors, err.Error())
			continue
		}
		for _, p := range props {
			if p.Name == "COLOR_PIPELINE" {
				keepPipelines(out, plane, d, p)
			}
		}
	}
}

func keepPipelines(out *Display, plane *Plane, d *drm.Device, p Property) {
	for _, e := range p.Enums {
		if e.Value == 0 {
			continue // "Bypass": there is no operation 0
		}
		keep(out, &plane.Pipelines, func() (Pipeline, error) {
			ops, err := readOps(kms.ColorOpID(e.Value), func(id kms.ColorOpID) ([]Property, error) { return ReadProperties(d, id.Object()) })
			return Pipeline{e.Name, e.Value == p.Value, ops}, err
		})
	}
}

// readOps follows a chain from its first operation, but not in a circle.
func readOps(id kms.ColorOpID, read func(kms.ColorOpID) ([]Property, error)) ([]ColorOp, error) {
	ops := []ColorOp{}
	for id != 0 {
		if slices.ContainsFunc(ops, func(op ColorOp) bool { return op.ID == uint32(id) }) {
			return nil, fmt.Errorf("%v comes twice in a pipeline", id)
		}
		props, err := read(id)
		if err != nil {
			return nil, err
		}
		op := ColorOp{ID: uint32(id), Properties: props}
		id = 0
		for _, p := range props {
			switch p.Name {
			case "TYPE":
				op.Type = firstName(p)
			case "NEXT":
				id = kms.ColorOpID(p.Value)
			}
		}
		ops = append(ops, op)
	}
	return ops, nil
}

// firstName is the name of an enum's value, or the value where it has none.
func firstName(p Property) string {
	if len(p.Names) == 0 {
		return fmt.Sprint(p.Value)
	}
	return p.Names[0]
}
