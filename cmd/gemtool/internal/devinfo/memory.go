package devinfo

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fdinfo"
)

// Memory is who has the device open, and how much of it they use, where its
// driver says so.
type Memory struct {
	Clients    []Client `json:"clients"`
	Unreadable int      `json:"unreadable_processes"` // others', which this user may not trace
}

// Client is an open file of the device in a process. Several processes can have
// one file, as where a session's daemon opened it for a display server: what it
// uses is told with the first.
type Client struct {
	PID     int               `json:"pid"`
	Command string            `json:"command"`
	Node    string            `json:"node"`
	Name    string            `json:"name,omitempty"`    // that the client gave itself
	ID      *uint64           `json:"id"`                // null: the driver says nothing of its clients
	SameAs  int               `json:"same_as,omitempty"` // the process that the file is told with
	Regions map[string]Region `json:"regions,omitempty"`
}

// Region is memory of a kind, in bytes. null: the driver does not say.
type Region struct {
	Total     *uint64 `json:"total"`
	Shared    *uint64 `json:"shared"`
	Resident  *uint64 `json:"resident"`
	Purgeable *uint64 `json:"purgeable"`
	Active    *uint64 `json:"active"`
}

// ReadMemory goes through the processes in proc, but this one. It opens no
// device.
func ReadMemory(proc fdinfo.Dir, info drm.Info) (*Memory, error) {
	nodes := map[uint64]string{}
	for _, n := range info.Nodes {
		nodes[n.Rdev] = n.Path
	}
	entries, err := os.ReadDir(string(proc))
	if err != nil {
		return nil, err
	}
	m := &Memory{Clients: []Client{}}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)              // who came first, mostly
	told := map[fdinfo.Key][]int{} // the processes that a client was told with
	for _, pid := range pids {
		files, err := openFiles(proc, pid, nodes)
		if errors.Is(err, fdinfo.ErrPermission) {
			m.Unreadable++
		}
		for _, f := range files {
			m.add(proc, pid, f.FD, nodes[f.Rdev], told)
		}
	}
	return m, nil
}

// openFiles are a process's files of some nodes, by their numbers.
func openFiles(proc fdinfo.Dir, pid int, nodes map[uint64]string) (files []fdinfo.File, err error) {
	for f, err := range proc.Files(pid) {
		if err != nil {
			return files, err
		}
		if f.Kind == fdinfo.DRM && nodes[f.Rdev] != "" {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b fdinfo.File) int { return cmp.Compare(a.FD, b.FD) })
	return files, nil
}

func (m *Memory) add(proc fdinfo.Dir, pid, fd int, node string, told map[fdinfo.Key][]int) {
	comm, _ := os.ReadFile(filepath.Join(string(proc), strconv.Itoa(pid), "comm")) // who has ended has no name
	c := Client{PID: pid, Command: strings.TrimSuffix(string(comm), "\n"), Node: node}
	text, err := proc.Read(pid, fd)
	if err != nil {
		return // closed meanwhile
	}
	info, err := fdinfo.Parse(text)
	if err == nil && info.Client != nil {
		if key, ok := info.Client.Key(); ok {
			if slices.Contains(told[key], pid) {
				return // a duplicate of the descriptor
			}
			told[key] = append(told[key], pid)
			c.ID = &key.ID
			if first := told[key][0]; first != pid {
				c.SameAs, info.Client.Regions = first, nil
			}
		}
		c.Name = info.Client.Name
		for name, r := range info.Client.Regions {
			if c.Regions == nil {
				c.Regions = map[string]Region{}
			}
			c.Regions[name] = newRegion(r)
		}
	}
	m.Clients = append(m.Clients, c)
}

func newRegion(r fdinfo.Region) Region {
	value := func(stat fdinfo.Stat, n uint64) *uint64 {
		if r.Known&stat == 0 {
			return nil
		}
		return &n
	}
	return Region{
		Total: value(fdinfo.HasTotal, r.Total), Shared: value(fdinfo.HasShared, r.Shared), Resident: value(fdinfo.HasResident, r.Resident),
		Purgeable: value(fdinfo.HasPurgeable, r.Purgeable), Active: value(fdinfo.HasActive, r.Active),
	}
}
