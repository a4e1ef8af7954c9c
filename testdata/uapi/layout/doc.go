// Package layout compares structures, request numbers and constants of Go with
// what C compilers make of the kernel's headers: the files layout-GOARCH.txt
// beside this folder. The tests of drm/internal/uapi and prime/internal/uapi
// use it; their lists of what there is to compare are generated, and stale
// ones fail.
package layout
