package matrix

import (
	"time"
)

// Depth is how deep a pair was proven to work.
type Depth int

// The depths, each including those before it.
const (
	None   Depth = iota
	Attach       // the importer took the buffer
	CPU          // its pixels were right through the dma-buf, both ways: the exporter's mapping is proven, not the importer
	FB           // the importer made a framebuffer of it
	Engine       // the importer's hardware read the right pixels
)

func (d Depth) String() string { return [...]string{"none", "attach", "cpu", "fb", "engine"}[d] }

// The names of a pair's steps, in their order.
const (
	StepAllocate    = "allocate"    // on the exporter
	StepMap         = "map"         // into this process
	StepDraw        = "draw"        // the pair's picture
	StepExport      = "export"      // as a dma-buf
	StepImport      = "import"      // on an open file of the importer's
	StepRead        = "read"        // all pixels, through the importer's dma-buf
	StepWrite       = "write"       // through the importer's dma-buf, read by the exporter's mapping
	StepFramebuffer = "framebuffer" // of the import
	StepEngine      = "engine"      // the importer's hardware reads
	StepRelease     = "release"     // everything; nothing may stay open
)

// Outcome is what became of a step, or of a pair.
type Outcome int

// The outcomes, the worst last.
const (
	OK          Outcome = iota
	NotTried            // nobody asked for it, or it could not be asked here
	Unsupported         // the driver has no such thing, which is no fault of the pair
	Refused             // the pair is known not to be supported
	Denied              // the permissions of a node forbid it
	Failed              // it must not happen
)

func (o Outcome) String() string {
	return [...]string{"ok", "not tried", "unsupported", "refused", "denied", "failed"}[o]
}

// Step is what became of one step.
type Step struct {
	Name    string
	Outcome Outcome
	Err     error // why it is not OK
	Time    time.Duration
}

// Cell is what became of a pair.
type Cell struct {
	Exporter, Importer *Endpoint
	// Self: both are of one device. The kernel then just finds its own
	// object again, which is no import and proves nothing of one.
	Self    bool
	Depth   Depth
	Outcome Outcome // OK, Refused, Denied or Failed
	Steps   []Step  // those that were tried
}

// Failure returns the step that made the cell what it is, nil for one that is
// OK or was not tried for lack of permissions.
func (c *Cell) Failure() *Step {
	for i := range c.Steps {
		if s := &c.Steps[i]; s.Outcome == c.Outcome && s.Outcome >= Refused {
			return s
		}
	}
	return nil
}

// String is the cell's text in a table: a depth, "self", "denied", or a step
// and what it failed with.
func (c *Cell) String() string {
	switch s := c.Failure(); {
	case c.Outcome == Denied:
		return "denied"
	case s != nil:
		return s.Name + " " + Code(s.Err)
	case c.Self:
		return "self"
	}
	return c.Depth.String()
}

// step runs a step and takes down what became of it.
func (c *Cell) step(name string, run func() error) Outcome {
	start := time.Now()
	err := run()
	s := Step{Name: name, Outcome: classify(name, err, c.Importer.Driver), Err: err, Time: time.Since(start)}
	c.Steps = append(c.Steps, s)
	if s.Outcome >= Refused {
		// Of two failures, as when the release fails too, the worse one
		// is the cell's.
		c.Outcome = max(c.Outcome, s.Outcome)
	}
	return s.Outcome
}
