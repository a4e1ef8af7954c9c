package edid_test

import "math/rand/v2"

// build makes an EDID of random values. All of it is of the standards' form:
// what a display would not say is left to the fuzzer.
func build(r *rand.Rand) []byte {
	b := base(r)
	n := r.IntN(3)
	for range n {
		if r.IntN(3) > 0 {
			b = append(b, cta(r)...)
		} else {
			b = append(b, displayID(r)...)
		}
	}
	b[126] = byte(n)
	sum(b[:128])
	return b
}

// sum makes the bytes add up to 0 by the last one.
func sum(b []byte) []byte {
	var s byte
	for _, c := range b[:len(b)-1] {
		s += c
	}
	b[len(b)-1] = -s
	return b
}

func put16(b []byte, v int) { b[0], b[1] = byte(v), byte(v>>8) }

// between returns a number of lo to hi.
func between(r *rand.Rand, lo, hi int) int { return lo + r.IntN(hi-lo+1) }

// bytesOf returns n random bytes.
func bytesOf(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func base(r *rand.Rand) []byte {
	b := make([]byte, 128)
	copy(b, "\x00\xff\xff\xff\xff\xff\xff\x00")
	letter := func() int { return between(r, 1, 26) }
	vendor := letter()<<10 | letter()<<5 | letter()
	b[8], b[9] = byte(vendor>>8), byte(vendor)
	copy(b[10:16], bytesOf(r, 6))
	b[16], b[17] = byte(between(r, 1, 53)), byte(between(r, 13, 36))
	b[18], b[19] = 1, byte(between(r, 3, 4))
	if b[19] == 4 && r.IntN(4) == 0 {
		b[16] = 0xff
	}
	b[20] = 0x80 | byte(r.IntN(7)<<4|r.IntN(6))
	switch {
	case r.IntN(4) == 0:
		b[20] = byte(r.IntN(128))
	case b[19] == 3:
		b[20] = 0x80 | byte(r.IntN(2))
	}
	b[21], b[22] = byte(between(r, 2, 255)), byte(between(r, 2, 255))
	if b[19] == 4 && r.IntN(4) == 0 {
		b[21+r.IntN(2)] = 0
	}
	b[23] = byte(r.Uint32())
	b[24] = byte(r.Uint32())
	copy(b[25:35], bytesOf(r, 10))
	b[35], b[36], b[37] = byte(r.Uint32()), byte(r.Uint32()), byte(r.IntN(2)<<7)
	for i := 38; i < 54; i += 2 {
		standard(r, b[i:])
	}
	copy(b[54:], dtd(r))
	kinds := []byte{0xff, 0xfe, 0xfc, 0xfd, 0xfb, 0xfa, 0x10}
	if b[19] == 4 {
		kinds = append(kinds, 0xf8, 0xf7)
	}
	r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	for i := range 3 {
		copy(b[72+18*i:], descriptor(r, kinds[i], b[19] == 4))
	}
	return b
}

// standard puts an unused standard timing, one that DMT has, or another.
func standard(r *rand.Rand, b []byte) {
	known := [...]int{0x3119, 0x3140, 0x314c, 0x4540, 0x6140, 0x8180, 0x8100, 0xa940, 0xd1c0, 0xb300, 0x81c0}
	switch r.IntN(3) {
	case 0:
		b[0], b[1] = 1, 1
	case 1:
		v := known[r.IntN(len(known))]
		b[0], b[1] = byte(v>>8), byte(v)
	case 2:
		b[0], b[1] = byte(between(r, 17, 255)), byte(r.Uint32())
	}
}

func dtd(r *rand.Rand) []byte {
	b := make([]byte, 18)
	put16(b, between(r, 1000, 65535))
	hact, vact := between(r, 100, 4095), between(r, 100, 4095)
	hoff, hwid, hback := between(r, 1, 400), between(r, 1, 400), between(r, 1, 200)
	voff, vwid, vback := between(r, 1, 63), between(r, 1, 63), between(r, 1, 200)
	hblk, vblk := hoff+hwid+hback, voff+vwid+vback
	w, h := between(r, 1, 4095), between(r, 1, 4095)
	b[2], b[3], b[4] = byte(hact), byte(hblk), byte(hact>>8<<4|hblk>>8)
	b[5], b[6], b[7] = byte(vact), byte(vblk), byte(vact>>8<<4|vblk>>8)
	b[8], b[9], b[10] = byte(hoff), byte(hwid), byte(voff&15<<4|vwid&15)
	b[11] = byte(hoff>>8<<6 | hwid>>8<<4 | voff>>4<<2 | vwid>>4)
	b[12], b[13], b[14] = byte(w), byte(h), byte(w>>8<<4|h>>8)
	b[17] = 0x18 | byte(r.IntN(4)<<1)
	if r.IntN(4) == 0 {
		b[17] |= 0x80
	}
	return b
}

// text puts up to 13 printable characters.
func text(r *rand.Rand, b []byte) {
	n := between(r, 1, 13)
	for i := range b[:13] {
		switch {
		case i < n:
			b[i] = byte(between(r, '!', '~'))
		case i == n:
			b[i] = '\n'
		default:
			b[i] = ' '
		}
	}
}

func descriptor(r *rand.Rand, kind byte, is14 bool) []byte {
	b := make([]byte, 18)
	switch b[3] = kind; kind {
	case 0xff, 0xfe, 0xfc:
		text(r, b[5:])
	case 0xfd:
		b[5], b[7] = byte(between(r, 1, 100)), byte(between(r, 1, 100))
		b[6], b[8] = byte(between(r, 100, 255)), byte(between(r, 100, 255))
		b[9] = byte(between(r, 1, 255))
		if is14 {
			flags := []byte{0, 2, 3}
			b[4] = flags[r.IntN(3)] | flags[r.IntN(3)]<<2
			b[10] = byte(r.IntN(2))
		}
		copy(b[11:], "\n      ")
	case 0xfb:
		copy(b[5:], bytesOf(r, 5))
		b[5] = 1
		b[6] &= 15
		copy(b[10:], bytesOf(r, 5))
		b[10] = 2
		b[11] &= 15
		copy(b[15:], "\n  ")
	case 0xfa:
		for i := 5; i < 17; i += 2 {
			standard(r, b[i:])
		}
		b[17] = '\n'
	case 0xf8:
		b[5] = 1
		for i := 6; i < 18; i += 3 {
			lines := between(r, 250, 2000)
			b[i], b[i+1] = byte(lines), byte(lines>>8<<4|r.IntN(4)<<2)
			b[i+2] = byte(r.IntN(4)<<5 | r.IntN(32))
		}
	case 0xf7:
		b[5] = 10
		copy(b[6:12], bytesOf(r, 6))
		b[11] &= 0xf0
	}
	return b
}

// cta makes an extension with a random choice of blocks.
func cta(r *rand.Rand) []byte {
	b := []byte{2, 3, 0, byte(r.IntN(256)) &^ 15}
	add := func(tag byte, p ...byte) {
		if len(b)+1+len(p) <= 127 {
			b = append(append(b, tag<<5|byte(len(p))), p...)
		}
	}
	some := func() bool { return r.IntN(4) > 0 }
	if some() {
		var vics []byte
		for range between(r, 1, 12) {
			if v := byte(between(r, 1, 127)); v <= 64 && r.IntN(3) == 0 {
				vics = append(vics, v|0x80)
			} else {
				vics = append(vics, v)
			}
		}
		vics = append(vics, byte(between(r, 193, 219)))
		add(2, vics...)
		if r.IntN(2) == 0 {
			add(7, 15, byte(r.Uint32()), byte(r.IntN(2)))
		}
	}
	if some() {
		var p []byte
		for range between(r, 1, 3) {
			format := between(r, 1, 8)
			p = append(p, byte(format<<3|r.IntN(8)), byte(r.IntN(128)), byte(between(r, 1, 7)))
		}
		add(1, p...)
	}
	if some() {
		add(4, byte(r.Uint32()), byte(r.IntN(8)), 0)
	}
	if some() {
		p := append([]byte{3, 12, 0}, bytesOf(r, 2)...)
		p = append(p, byte(r.Uint32())&0xf9, byte(between(r, 1, 68)), 0)
		switch r.IntN(3) {
		case 1:
			p[7] = 0x80
			p = append(p, byte(between(r, 1, 251)), byte(between(r, 1, 251)))
		case 2:
			p[7] = 0x20
			p = append(p, byte(r.IntN(2))<<7, 2<<5, byte(between(r, 1, 4)), byte(between(r, 1, 4)))
		}
		add(3, p...)
	}
	if some() {
		add(3, 0xd8, 0x5d, 0xc4, 1, byte(between(r, 69, 120)), byte(r.Uint32())&0xc8, byte(r.IntN(7)<<4|r.IntN(8)),
			byte(r.Uint32())&0x46, byte(between(r, 1, 47)), byte(between(r, 100, 255)), 0, 0, 0)
	}
	if some() {
		add(7, 0, byte(r.Uint32()))
	}
	if some() {
		add(7, 5, byte(r.Uint32()), byte(r.Uint32())&0xf0)
	}
	if some() {
		add(7, 6, byte(between(r, 1, 15)), 1, byte(between(r, 1, 255)), byte(between(r, 1, 255)), byte(between(r, 1, 255)))
	}
	if some() {
		add(7, 14, byte(between(r, 96, 107)))
	}
	b[2] = byte(len(b))
	for len(b)+18 <= 127 {
		b = append(b, dtd(r)...)
		b[3]++
	}
	return sum(append(b, make([]byte, 128-len(b))...))
}

// displayID makes an extension with a product, timings and a tile, of 1.x or
// 2.x.
func displayID(r *rand.Rand) []byte {
	b := []byte{0x70, 0x12, 0, 3, 0}
	two := r.IntN(2) == 1
	if two {
		b[1] = 0x20
	}
	add := func(tag1, tag2 byte, p []byte) {
		tag := tag1
		if two {
			tag = tag2
		}
		b = append(append(b, tag, 0, byte(len(p))), p...)
	}
	product := append([]byte("GEM"), bytesOf(r, 6)...)
	product = append(product, byte(between(r, 1, 53)), byte(r.IntN(30)), 8)
	add(0x00, 0x20, append(product, "gemtool\x21"...))
	var t []byte
	for range 2 {
		timing := bytesOf(r, 20)
		timing[2] &= 7
		timing[3] = byte(r.IntN(2)<<7 | r.IntN(9))
		for i := 5; i < 20; i += 2 {
			timing[i] &= 0x8f
		}
		timing[5], timing[7], timing[11] = timing[5]&15, timing[7]&3, 0
		timing[13], timing[15], timing[19] = timing[13]&15, timing[15]&3, 0
		timing[9], timing[17] = timing[9]&0x80, timing[17]&0x80
		timing[7], timing[15] = timing[7]|2, timing[15]|2 // more than offset and width
		t = append(t, timing...)
	}
	add(0x03, 0x22, t)
	tile := bytesOf(r, 22)
	tile[0] &^= 0x40 // no bezels: edid-decode says the size twice with them
	copy(tile[13:], "GEM")
	add(0x12, 0x28, tile)
	b[2] = byte(len(b) - 5)
	sum(append(b[1:], 0)) // without the extension's tag
	b = b[:len(b)+1]
	return sum(append(b, make([]byte, 128-len(b))...))
}
