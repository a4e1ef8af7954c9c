//go:build linux

package vm

import (
	"io/fs"
	"os"
	"path/filepath"
)

// Groups of the guest's device nodes. Debian has video at 44 and gives the
// other two whatever is free when udev is installed.
const (
	groupVideo  = 44
	groupKVM    = 104
	groupRender = 105
)

// nodeRules say who may use which device, as the rules of udev do. The kernel
// alone makes every node root's with mode 0600, and a test of a user without
// privileges would see a system that nobody has.
var nodeRules = []struct {
	pattern string
	group   int
	mode    fs.FileMode
}{
	{"/dev/dri/card*", groupVideo, 0o660},
	{"/dev/dri/renderD*", groupRender, 0o666},
	{"/dev/udmabuf", groupKVM, 0o660},
	{"/dev/dma_heap/*", groupVideo, 0o660},
}

// grantNodes applies nodeRules to the nodes that are there.
func grantNodes() error {
	for _, rule := range nodeRules {
		paths, err := filepath.Glob(rule.pattern)
		if err != nil {
			return err
		}
		for _, path := range paths {
			if err := os.Chown(path, 0, rule.group); err != nil {
				return err
			}
			if err := os.Chmod(path, rule.mode); err != nil {
				return err
			}
		}
	}
	return nil
}
