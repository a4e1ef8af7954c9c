package fourcc

import (
	"image"
	"image/color"
	"image/draw"
)

// Draw does what draw.Draw does, by rows instead of pixels where dst is of
// NewImage: one color fills, and an *image.RGBA or a view of the same format
// is copied, the latter with its padding. It reads nothing of dst then, which
// may be slow to read.
func Draw(dst draw.Image, r image.Rectangle, src image.Image, sp image.Point, op draw.Op) {
	m, ok := dst.(*view)
	if !ok {
		draw.Draw(dst, r, src, sp, op)
		return
	}
	clipped := r.Intersect(m.Bounds()).Intersect(src.Bounds().Add(r.Min.Sub(sp)))
	if clipped.Empty() {
		return
	}
	at := sp.Add(clipped.Min.Sub(r.Min))
	switch s := src.(type) {
	case *image.Uniform:
		if op == draw.Src || s.Opaque() {
			m.fill(clipped, s.RGBA64At(0, 0))
			return
		}
	case *image.RGBA:
		if op == draw.Src && clipped.Dx()*clipped.Dy() > 1000 { // that many it takes to make up for a table
			m.convert(clipped, s, at)
			return
		}
	case *view:
		if s.pixel == m.pixel && (op == draw.Src || m.a.bits == 0) {
			m.copy(clipped, s, at)
			return
		}
	}
	draw.Draw(dst, r, src, sp, op)
}

// fill writes pieces that hold whole pixels of every size.
func (m *view) fill(r image.Rectangle, c color.RGBA64) {
	var piece [170 * 24]byte
	v, n := m.encode(c), min(len(piece), r.Dx()*m.bytes)
	for i := 0; i < n; i += m.bytes {
		m.store(piece[i:], v)
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for row := m.row(r.Min.X, y, r.Dx()); len(row) > 0; {
			row = row[copy(row, piece[:n]):]
		}
	}
}

// copy begins with the row that the others do not overwrite, should both be
// views of the same bytes.
func (m *view) copy(r image.Rectangle, src *view, sp image.Point) {
	for i := range r.Dy() {
		if sp.Y < r.Min.Y {
			i = r.Dy() - 1 - i
		}
		copy(m.row(r.Min.X, r.Min.Y+i, r.Dx()), src.row(sp.X, sp.Y+i, r.Dx()))
	}
}

// convert looks up what every value of every component adds to a pixel.
func (m *view) convert(r image.Rectangle, src *image.RGBA, sp image.Point) {
	var red, green, blue, alpha [256]uint64
	for i := range 256 {
		v := uint16(i) * 0x101
		red[i] = m.swap(m.encode(color.RGBA64{R: v}))
		green[i] = m.swap(m.encode(color.RGBA64{G: v}))
		blue[i] = m.swap(m.encode(color.RGBA64{B: v}))
		alpha[i] = m.swap(m.encode(color.RGBA64{A: v}))
	}
	for i := range r.Dy() {
		from, row := src.Pix[src.PixOffset(sp.X, sp.Y+i):], m.row(r.Min.X, r.Min.Y+i, r.Dx())
		for ; len(row) >= m.bytes && len(from) >= 4; row, from = row[m.bytes:], from[4:] {
			m.put(row, red[from[0]]|green[from[1]]|blue[from[2]]|alpha[from[3]])
		}
	}
}
