// Package words puts what the kernel says into words that a terminal can show
// and a person can use.
package words

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape replaces what a terminal could take for a command, or show as
// something else: control characters, bytes that are no UTF-8, and characters
// that cannot be seen or turn the direction of the text. Names come from
// drivers, firmware, and whoever named a buffer.
func Escape(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			q := strconv.QuoteToASCII(s[:1])
			b.WriteString(q[1 : len(q)-1])
		case unicode.IsPrint(r):
			b.WriteString(s[:n])
		default:
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		}
		s = s[n:]
	}
	return b.String()
}
