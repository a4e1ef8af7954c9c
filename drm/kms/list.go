package kms

import (
	"fmt"

	"github.com/gemtool/gemtool/drm"
)

// The kernel answers queries of lists with their lengths, and with the lists
// where the caller has brought enough room. What is plugged in and unplugged
// meanwhile changes the lengths: the queries of this package ask until the
// room is enough.

// maxList bounds what a kernel may say the length of a list is.
const maxList = 1 << 20

// room is what became of the lists of a query.
type room struct {
	short bool // one was too short, and is longer now: ask again
	err   error
}

// fit cuts the list to the n elements that the kernel has, or makes room for
// them.
func fit[E any](r *room, list *[]E, n uint32) {
	switch {
	case n <= uint32(len(*list)):
		*list = (*list)[:n]
	case n > maxList:
		r.err = fmt.Errorf("kernel has a list of %d: %w", n, drm.ErrRange)
	default:
		*list = make([]E, n)
		r.short = true
	}
}
