package fdinfo

import (
	"iter"
	"maps"
)

// Client is what a driver prints of an open DRM file.
type Client struct {
	Driver string // as the VERSION ioctl has it
	PDev   string // the device, such as "0000:03:00.0"; empty where it is not PCI
	ID     uint64 // of the client: files that are dup'd or sent share it
	HasID  bool   // ID was printed
	Name   string // that SET_CLIENT_NAME gave, since Linux 7.2's time

	Engines map[string]Engine
	Regions map[string]Region
	// Other has the driver's own keys, such as "amd-evicted-vram", with their values as they
	// are.
	Other map[string]string
}

// Engine is a part of the GPU that works for its clients. Zero may mean that
// the driver does not tell.
type Engine struct {
	BusyNS uint64
	// Capacity is how many engines of this kind there are, at least 1.
	Capacity    uint64
	Cycles      uint64 // busy ones
	TotalCycles uint64 // that went by, by the GPU's own clock
	MaxHz       uint64
}

// Region is how much memory of a kind a client has, in bytes. The kind "memory"
// is the system's.
type Region struct {
	Total     uint64 // of all buffers, with or without pages
	Shared    uint64 // of those with more than one handle
	Resident  uint64 // of those with pages here
	Purgeable uint64
	Active    uint64 // of those that engines are busy with
	Known     Stat   // which of the numbers were printed
}

// Stat is a set of a [Region]'s numbers.
type Stat uint8

// The numbers. Resident may come by its old name, drm-memory.
const (
	HasTotal Stat = 1 << iota
	HasShared
	HasResident
	HasPurgeable
	HasActive
)

// Key tells clients apart, over all files and processes.
type Key struct {
	PDev string
	ID   uint64
}

// Key returns the client's key, and false for a driver that gives none: then
// each file counts for itself.
func (c Client) Key() (Key, bool) { return Key{c.PDev, c.ID}, c.HasID }

// Merge returns the client with what a second reading of it says, of another
// file or at another time. Counters of work may fall for a while in the
// kernel's text, and mean what they were before: the greater one holds. All
// else is the second's.
func (c Client) Merge(second Client) Client {
	engines := maps.Clone(second.Engines)
	for name, old := range c.Engines {
		e, ok := engines[name]
		if !ok {
			e.Capacity, e.MaxHz = old.Capacity, old.MaxHz
		}
		e.BusyNS, e.Cycles, e.TotalCycles = max(e.BusyNS, old.BusyNS), max(e.Cycles, old.Cycles), max(e.TotalCycles, old.TotalCycles)
		if engines == nil {
			engines = make(map[string]Engine)
		}
		engines[name] = e
	}
	second.Engines = engines
	return second
}

// Unique returns every client once, in the order they come: files that are
// dup'd, inherited or sent are one client, by its Key.
func Unique(clients iter.Seq[Client]) []Client {
	var all []Client
	at := make(map[Key]int)
	for c := range clients {
		key, ok := c.Key()
		if i, again := at[key]; ok && again {
			all[i] = all[i].Merge(c)
			continue
		}
		if ok {
			at[key] = len(all)
		}
		all = append(all, c)
	}
	return all
}
