package pattern

// The glyphs are 3 by 5 dots, a row an octal digit, the top row first.
const (
	glyphWidth  = 3
	glyphHeight = 5
)

var glyphBits = map[byte]uint16{
	'0': 0o75557, '1': 0o26227, '2': 0o71747, '3': 0o71717, '4': 0o55711,
	'5': 0o74717, '6': 0o74757, '7': 0o71122, '8': 0o75757, '9': 0o75717,
	'a': 0o25755, 'b': 0o65656, 'c': 0o34443, 'd': 0o65556, 'e': 0o74647,
	'f': 0o74644, 'g': 0o34553, 'h': 0o55755, 'i': 0o72227, 'j': 0o11152,
	'k': 0o55655, 'l': 0o44447, 'm': 0o57755, 'n': 0o65555, 'o': 0o25552,
	'p': 0o65644, 'q': 0o25573, 'r': 0o65655, 's': 0o34216, 't': 0o72222,
	'u': 0o55557, 'v': 0o55552, 'w': 0o55775, 'x': 0o55255, 'y': 0o55222,
	'z': 0o71247, '-': 0o00700, '_': 0o00007, ',': 0o00024, '.': 0o00002,
	':': 0o02020, '>': 0o42124, '/': 0o11244, ' ': 0,
}

// glyphs says what text, written with dots of scale pixels, has at (x, y)
// from its upper left corner: plate is whether the place belongs to the text
// and the margin around it, ink is its colour there.
func glyphs(text string, x, y, scale int) (ink uint32, plate bool) {
	const advance = glyphWidth + 1
	if x < -scale || y < -scale || x >= len(text)*advance*scale || y >= (glyphHeight+1)*scale {
		return 0, false
	}
	if x < 0 || y < 0 {
		return 0, true
	}
	column, row := x/scale, y/scale
	if column%advance == glyphWidth || row >= glyphHeight {
		return 0, true
	}
	c := text[column/advance]
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	bits, ok := glyphBits[c]
	if !ok {
		bits = 0o77777
	}
	shift := (glyphHeight-1-row)*3 + glyphWidth - 1 - column%advance
	if bits>>shift&1 != 0 {
		return 0x00ffffff, true
	}
	return 0, true
}
