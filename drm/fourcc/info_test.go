package fourcc_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/gemtool/gemtool/drm/fourcc"
)

// TestInfo passes if subsampled planes are rounded up, and no size overflows.
func TestInfo(t *testing.T) {
	info, ok := fourcc.NV12.Info()
	if !ok || len(info.Planes) != 2 {
		t.Fatalf("NV12: %+v, %v", info, ok)
	}
	if row, rows := info.Planes[1].Row(5), info.Planes[1].Rows(3); row != 6 || rows != 2 {
		t.Errorf("chroma of 5x3: %d bytes, %d rows, want 6 and 2", row, rows)
	}
	rgb, _ := fourcc.XRGB8888.Info()
	if row := rgb.Planes[0].Row(1<<32 - 1); row != 4*(1<<32-1) {
		t.Errorf("longest row: %d", row)
	}
	if _, ok := fourcc.Format(0).Info(); ok {
		t.Error("format 0 is known")
	}
}

// TestBlocks passes if a row holds whole blocks, and the kernel's least pitch
// may not.
func TestBlocks(t *testing.T) {
	for _, test := range []struct {
		f              fourcc.Format
		plane          int
		width          uint32
		row, min, rows uint64 // rows of 3
	}{
		{fourcc.C1, 0, 9, 2, 2, 3},
		{fourcc.YUYV, 0, 5, 12, 10, 3},
		{fourcc.NV15, 0, 5, 10, 7, 3},
		{fourcc.NV15, 1, 5, 10, 8, 2},
		{fourcc.P030, 0, 4, 8, 6, 3},
		{fourcc.X0L2, 0, 3, 8, 6, 4},
		{fourcc.YUV420_8BIT, 0, 5, 0, 0, 3},
	} {
		info, _ := test.f.Info()
		p := info.Planes[test.plane]
		if row, least, rows := p.Row(test.width), p.MinPitch(test.width), p.Rows(3); row != test.row || least != test.min || rows != test.rows {
			t.Errorf("%s, plane %d: %d bytes, least %d, %d rows, want %+v", test.f.Name(), test.plane, row, least, rows, test)
		}
	}
}

// TestInfoLargest passes if the largest sizes give what exact arithmetic does,
// for every format.
func TestInfoLargest(t *testing.T) {
	const most = math.MaxUint32
	for _, f := range goldenFormats(t) {
		info, _ := f.Info()
		for i, p := range info.Planes {
			samples := divUp(big.NewInt(most), p.HSub)
			row := divUp(samples, p.Width)
			row.Mul(row, big.NewInt(int64(p.Bytes))).Div(row, big.NewInt(int64(p.Height)))
			least := divUp(new(big.Int).Mul(samples, big.NewInt(int64(p.Bytes))), p.Width*p.Height)
			rows := divUp(divUp(big.NewInt(most), p.VSub), p.Height)
			rows.Mul(rows, big.NewInt(int64(p.Height)))
			if got := [3]uint64{p.Row(most), p.MinPitch(most), p.Rows(most)}; got != [3]uint64{row.Uint64(), least.Uint64(), rows.Uint64()} {
				t.Errorf("%s: plane %d: %d, want %v, %v, %v", f.name, i, got, row, least, rows)
			}
		}
	}
}

func divUp(n *big.Int, by int) *big.Int {
	d := big.NewInt(int64(by))
	n = new(big.Int).Add(n, d)
	return n.Sub(n, big.NewInt(1)).Div(n, d)
}

// TestInfoAllocations passes if a layout costs no memory.
func TestInfoAllocations(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { fourcc.P010.Info() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
