package matrix

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/pattern"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/prime"
)

// Explain returns a line for each distinct failure of the cells, in their
// order: what was tried, what the kernel said, what that means, what to try. It
// does so, too, for what kept a pair from going deeper.
func Explain(cells []*Cell) []string {
	type group struct {
		text                 string
		name                 string // of the step, and what it failed with
		exporters, importers []string
	}
	var groups []*group
	byText := map[string]*group{}
	for _, c := range cells {
		s := c.Failure()
		if s == nil {
			s = c.obstacle()
		}
		if s == nil {
			continue
		}
		name, text := s.Name+" "+Code(s.Err), explain(c, s)
		g := byText[name+text]
		if g == nil {
			g = &group{name: name, text: text}
			groups = append(groups, g)
			byText[name+text] = g
		}
		if !slices.Contains(g.exporters, c.Exporter.Name) {
			g.exporters = append(g.exporters, c.Exporter.Name)
		}
		if !slices.Contains(g.importers, c.Importer.Name) {
			g.importers = append(g.importers, c.Importer.Name)
		}
	}
	var lines []string
	for _, g := range groups {
		lines = append(lines, fmt.Sprintf("%s, from %s into %s: %s",
			g.name, strings.Join(g.exporters, ", "), strings.Join(g.importers, ", "), g.text))
	}
	return lines
}

var tried = map[string]string{
	StepAllocate:    "asked the exporter for a buffer",
	StepMap:         "mapped the exporter's buffer",
	StepDraw:        "drew the picture through the exporter's mapping",
	StepExport:      "asked the exporter for a dma-buf",
	StepImport:      "gave the importer the exporter's dma-buf",
	StepRead:        "read the picture through the importer's dma-buf",
	StepWrite:       "wrote through the importer's dma-buf, and read that through the exporter's mapping",
	StepFramebuffer: "asked the importer for a framebuffer of the import",
	StepEngine:      "had the importer's hardware read the import",
	StepRelease:     "gave everything back",
}

// EngineLeftOut returns a line for each reason for which hardware did not read the
// imports of pairs that got as far.
func EngineLeftOut(cells []*Cell) (lines []string) {
	type reason struct {
		outcome Outcome
		text    string
	}
	importers := map[reason][]string{}
	var order []reason
	for _, c := range cells {
		for _, s := range c.Steps {
			if c.Self || s.Name != StepEngine || s.Outcome != NotTried && s.Outcome != Unsupported {
				continue
			}
			why := reason{s.Outcome, words.Escape(s.Err.Error())}
			if importers[why] == nil {
				order = append(order, why)
			}
			if !slices.Contains(importers[why], c.Importer.Name) {
				importers[why] = append(importers[why], c.Importer.Name)
			}
		}
	}
	for _, why := range order {
		lines = append(lines, fmt.Sprintf("engine %s, into %s: %s", why.outcome, strings.Join(importers[why], ", "), why.text))
	}
	return lines
}

// obstacle returns the step at which a driver refused more than was proven
// already, if it said something other than that it has no such thing.
func (c *Cell) obstacle() *Step {
	for i := range c.Steps {
		if s := &c.Steps[i]; s.Outcome == Unsupported && errors.Is(s.Err, syscall.EINVAL) {
			return s
		}
	}
	return nil
}

// explain puts a cell's step in words.
func explain(c *Cell, s *Step) string {
	said := "found: " + words.Escape(s.Err.Error())
	var errno syscall.Errno
	if errors.As(s.Err, &errno) {
		said = fmt.Sprintf("the kernel said %q", errno.Error())
	}
	meaning, try := means(c, s)
	if try == "" {
		return fmt.Sprintf("%s; %s. %s.", tried[s.Name], said, meaning)
	}
	return fmt.Sprintf("%s; %s. %s. %s.", tried[s.Name], said, meaning, try)
}

// means says what a failure means and what to do, which may be nothing. Only what
// is known goes here.
func means(c *Cell, s *Step) (meaning, try string) {
	var mismatch *pattern.Mismatch
	switch {
	case errors.Is(s.Err, drm.ErrGone):
		return "The device was unplugged, or its driver unbound", "Run again without it"
	case errors.As(s.Err, &mismatch):
		return "The pixels are not those that were drawn: a bug, of a driver or of gemtool",
			"Look at the picture that --png writes, and report it"
	case errors.Is(s.Err, errLeak):
		return "Something was not given back: a bug of gemtool", "Report it"
	case errors.Is(s.Err, errIdentity):
		return "The kernel promises that an import leads back to the dma-buf that came in: a bug of the driver", "Report it"
	case errors.Is(s.Err, drm.ErrShortBuffer):
		return "The kernel computed the size in 32 bits", "Try: a smaller --size, or Linux 7.2"
	case errors.Is(s.Err, prime.ErrRange):
		return "The exporter has a limit", "Try: a smaller --size"
	case s.Name != StepImport && (errors.Is(s.Err, syscall.ENOMEM) || errors.Is(s.Err, syscall.ENOSPC)):
		return "There was not enough memory of the kind that the exporter needs", "Try: a smaller --size"
	}
	var errno syscall.Errno
	errors.As(s.Err, &errno)
	call := map[string]string{StepImport: "PRIME_FD_TO_HANDLE", StepFramebuffer: "MODE_ADDFB2"}[s.Name]
	h, ok := words.Find(words.Question{Errno: words.Name(errno), Call: call, Importer: c.Importer.Driver, Exporter: c.Exporter.Driver})
	switch {
	case ok && h.Call != "":
		return h.Means, h.Advice()
	case s.Name == StepImport && s.Outcome == Refused:
		return "One of the two drivers does not do this: the exporter's cannot share its memory, or the importer's cannot import", "Try: another exporter"
	case s.Outcome == Refused:
		return "The exporter's driver does not do this", "Try: another exporter"
	}
	return "Nothing is known about this failure here", "The steps and their errors are in --json"
}
