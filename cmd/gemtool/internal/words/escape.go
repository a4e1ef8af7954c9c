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
// something else: control characters, bytes that are no UTF-8, characters that
// cannot be seen, stand on others or turn the direction of the text, and those
// that tables are drawn with. Names come from drivers, firmware, and whoever
// named a buffer.
func Escape(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			q := strconv.QuoteToASCII(s[:1])
			b.WriteString(q[1 : len(q)-1])
		case unicode.IsPrint(r) && !unicode.In(r, misleading...):
			b.WriteString(s[:n])
		default:
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		}
		s = s[n:]
	}
	return b.String()
}

// misleading are printable characters that are not what they look like.
var misleading = []*unicode.RangeTable{
	unicode.M, // marks, among them the selectors of variants
	unicode.Other_Default_Ignorable_Code_Point,
	{R16: []unicode.Range16{
		{Lo: 0x0590, Hi: 0x08ff, Stride: 1}, // scripts from right to left turn the digits beside them
		{Lo: 0x2500, Hi: 0x259f, Stride: 1}, // boxes and blocks
		{Lo: 0x2800, Hi: 0x2800, Stride: 1}, // Braille without a dot
		{Lo: 0xfb1d, Hi: 0xfdff, Stride: 1},
		{Lo: 0xfe70, Hi: 0xfeff, Stride: 1},
	}, R32: []unicode.Range32{
		{Lo: 0x10800, Hi: 0x10fff, Stride: 1},
		{Lo: 0x1e800, Hi: 0x1efff, Stride: 1},
	}},
}
