//go:build !gemdebug

package gem_test

import (
	"runtime"
	"testing"
)

// BenchmarkHotPaths is what one goroutine pays with nobody in its way.
func BenchmarkHotPaths(b *testing.B) {
	o := hotObject(b)
	for name, f := range hotPaths(b, o) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkContended is the same for one of many goroutines on one object.
func BenchmarkContended(b *testing.B) {
	o := hotObject(b)
	for name, f := range hotPaths(b, o) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(max(1, 8/runtime.GOMAXPROCS(0)))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := f(); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkFirst is the way of the first pin and map, and of the last: with
// mmap and munmap of a page of the fake kernel.
func BenchmarkFirst(b *testing.B) {
	_, s, _, _ := fakeStores(b)
	for name, f := range hotPaths(b, fakeObject(b, s)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
