//go:build linux

package vm

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// ParseDir parses HOST=GUEST[:ro]; a GUEST left out is the HOST's own path.
func ParseDir(s string) (Dir, error) {
	rest, ro := strings.CutSuffix(s, ":ro")
	host, guest, _ := strings.Cut(rest, "=")
	if host == "" {
		return Dir{}, fmt.Errorf("directory %q: want HOST=GUEST[:ro]", s)
	}
	return Dir{Host: host, Guest: guest, ReadOnly: ro}, nil
}

// resolveDirs makes the paths absolute and drops what another one covers.
func resolveDirs(dirs []Dir) ([]Dir, error) {
	var out []Dir
	for _, d := range dirs {
		host, err := filepath.Abs(d.Host)
		if err != nil {
			return nil, configError("shared directory: %w", err)
		}
		if !isDir(host) {
			return nil, configError("shared directory %s: no such directory", host)
		}
		d.Host = host
		def(&d.Guest, host)
		d.Guest = path.Clean(d.Guest)
		if !path.IsAbs(d.Guest) || d.Guest == "/" {
			return nil, configError("shared directory %s: %q is no absolute path below the guest's root", host, d.Guest)
		}
		if !covered(d, out) {
			out = append(out, d)
		}
	}
	return out, nil
}

// covered reports whether dirs show all of d, at the same place and as
// writable.
func covered(d Dir, dirs []Dir) bool {
	for _, o := range dirs {
		host, err := filepath.Rel(o.Host, d.Host)
		if err != nil || !filepath.IsLocal(host) || (o.ReadOnly && !d.ReadOnly) {
			continue
		}
		if path.Join(o.Guest, host) == d.Guest {
			return true
		}
	}
	return false
}

// usePack decides how directories are shared: by 9p where the guest's kernel
// and QEMU can, else packed into the image. Of a kernel without a module
// directory nothing is known.
func usePack(share string, mods *moduleTree, qemuHas func(string) bool) (bool, error) {
	why := ""
	switch {
	case !qemuHas("virtio-9p-pci"):
		why = "this QEMU lacks virtio-9p-pci"
	case mods.known() && !(mods.has("9p") && mods.has("9pnet_virtio")):
		why = "this kernel lacks 9p or 9pnet_virtio"
	}
	switch share {
	case "auto":
		return why != "" || !mods.known(), nil
	case "pack":
		return true, nil
	case "9p":
		if why != "" {
			return false, configError("--share 9p: %s", why)
		}
	}
	return false, nil
}
