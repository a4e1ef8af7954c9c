package matrix

import "strconv"

// printable escapes what a terminal could take for a command. Names come from
// drivers and from whoever named a heap.
func printable(s string) string {
	q := strconv.QuoteToASCII(s)
	return q[1 : len(q)-1]
}
