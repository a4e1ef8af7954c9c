package fdinfo

import "strings"

const (
	unitsTime  = "ns=1"
	unitsBytes = "KiB=1024 MiB=1048576"
	unitsFreq  = "Hz=1 KHz=1000 kHz=1000 MHz=1000000"
)

// engineKeys begin what is said of an engine, whose name follows. The longer
// ones come first, and all of them before those of memory.
var engineKeys = [...]struct {
	prefix, units string
	field         func(*Engine) *uint64
}{
	{"engine-capacity-", "", func(e *Engine) *uint64 { return &e.Capacity }},
	{"engine-", unitsTime, func(e *Engine) *uint64 { return &e.BusyNS }},
	{"total-cycles-", "", func(e *Engine) *uint64 { return &e.TotalCycles }},
	{"cycles-", "", func(e *Engine) *uint64 { return &e.Cycles }},
	{"maxfreq-", unitsFreq, func(e *Engine) *uint64 { return &e.MaxHz }},
}

// regionKeys begin what is said of a region of memory.
var regionKeys = [...]struct {
	prefix string
	stat   Stat
	field  func(*Region) *uint64
}{
	{"total-", HasTotal, func(r *Region) *uint64 { return &r.Total }},
	{"shared-", HasShared, func(r *Region) *uint64 { return &r.Shared }},
	{"resident-", HasResident, func(r *Region) *uint64 { return &r.Resident }},
	{"purgeable-", HasPurgeable, func(r *Region) *uint64 { return &r.Purgeable }},
	{"active-", HasActive, func(r *Region) *uint64 { return &r.Active }},
}

// client takes a line of a DRM file. Before its first standard key the file
// may be of any kind.
func (p *parser) client(value string) error {
	key, standard := strings.CutPrefix(p.key, "drm-")
	if p.Client == nil {
		if !standard {
			return nil
		}
		p.Client = &Client{}
	}
	c := p.Client
	switch {
	case !standard:
		if c.Other == nil {
			c.Other = make(map[string]string)
		}
		c.Other[p.key] = value
		return nil
	case key == "driver":
		c.Driver = value
		return nil
	case key == "pdev":
		c.PDev = value
		return nil
	case key == "client-name":
		c.Name = value
		return nil
	case key == "client-id":
		c.HasID = true
		return p.number(&c.ID, value, "")
	}
	for _, k := range engineKeys {
		if name, ok := strings.CutPrefix(key, k.prefix); ok {
			return p.engine(name, value, k.units, k.field)
		}
	}
	for _, k := range regionKeys {
		if name, ok := strings.CutPrefix(key, k.prefix); ok {
			return p.region(name, value, k.stat, k.field)
		}
	}
	if name, ok := strings.CutPrefix(key, "memory-"); ok && c.Regions[name].Known&HasResident == 0 {
		return p.region(name, value, HasResident, func(r *Region) *uint64 { return &r.Resident })
	}
	return nil // a key of a later standard
}

func (p *parser) engine(name, value, units string, field func(*Engine) *uint64) error {
	c := p.Client
	e, ok := c.Engines[name]
	if !ok {
		e.Capacity = 1
	}
	if err := p.number(field(&e), value, units); err != nil {
		return err
	}
	if e.Capacity == 0 {
		return p.fail("at least 1 engine")
	}
	if c.Engines == nil {
		c.Engines = make(map[string]Engine)
	}
	c.Engines[name] = e
	return nil
}

func (p *parser) region(name, value string, stat Stat, field func(*Region) *uint64) error {
	c := p.Client
	r := c.Regions[name]
	if err := p.number(field(&r), value, unitsBytes); err != nil {
		return err
	}
	r.Known |= stat
	if c.Regions == nil {
		c.Regions = make(map[string]Region)
	}
	c.Regions[name] = r
	return nil
}
