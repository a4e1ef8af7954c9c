// Package nvml asks NVIDIA's management library about its GPUs. The library
// comes with the driver and is loaded when it is needed; everything that knows
// it is built with cgo only, and not with the tag nonvml.
package nvml

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// GPU is what the library knows of a GPU. Texts are the driver's: escape them
// before they reach a terminal. What it does not know is zero.
type GPU struct {
	Address  string // on PCI, as the kernel writes it: 0000:01:00.0
	Product  string
	UUID     string
	Driver   string // version
	Firmware string // version of the GPU's system processor's
	VBIOS    string // version

	MemoryTotal, MemoryUsed uint64 // bytes
}

// Source is where GPUs are known.
type Source interface {
	// GPUs lists them. It may take as long as the driver does.
	GPUs() ([]GPU, error)
}

// What a Source may say.
var (
	// ErrNotBuilt: this program was built without the library.
	ErrNotBuilt = errors.New("built without NVML")
	// ErrNoLibrary: this machine does not have it, and so no such driver.
	ErrNoLibrary = errors.New("no NVML here")
	// ErrSymbol: the library lacks a function that is needed.
	ErrSymbol = errors.New("function missing in NVML")
	// ErrTimeout: there was no answer in time.
	ErrTimeout = errors.New("NVML did not answer in time")
)

// Ask asks a source and waits for no longer than limit. A library that hangs
// cannot be stopped: it keeps a thread until the program ends.
func Ask(ctx context.Context, s Source, limit time.Duration) ([]GPU, error) {
	type answer struct {
		gpus []GPU
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		gpus, err := s.GPUs()
		answers <- answer{gpus, err}
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w (%v)", ErrTimeout, limit))
	defer cancel()
	select {
	case a := <-answers:
		return a.gpus, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

var busID = regexp.MustCompile(`^([0-9a-f]{4,8}):([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$`)

// address turns the library's 00000000:01:00.0 into the kernel's 0000:01:00.0;
// ok is false for what is none.
func address(s string) (a string, ok bool) {
	m := busID.FindStringSubmatch(strings.ToLower(s))
	if m == nil {
		return "", false
	}
	// The kernel writes at least four digits.
	domain := strings.TrimLeft(m[1], "0")
	return strings.Repeat("0", max(0, 4-len(domain))) + domain + ":" + m[2], true
}
