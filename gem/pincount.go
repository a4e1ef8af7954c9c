package gem

import "sync/atomic"

// pinCount is pages_pin_count. It counts the pins, of which all maps together
// have one. It moves without the reservation as long as it neither leaves nor
// reaches 0, as the kernel's refcount_inc_not_zero and refcount_dec_not_one.
type pinCount struct{ word atomic.Uint32 }

const (
	// pinGoing: the last pin was given back while somebody held the
	// reservation. It counts until its end, and a new pin can take its place.
	pinGoing = 1 << 31
	// pinMapped: one of the pins is that of the maps, which Unpin cannot take.
	pinMapped = 1 << 30
	pinMax    = pinMapped - 1
)

func (c *pinCount) count() uint32 { return c.word.Load() & pinMax }

// inc takes a pin, for the maps if mark is pinMapped, unless there is none, in
// which case the pages must be had first.
func (c *pinCount) inc(mark uint32) (ok bool, err error) {
	for {
		w := c.word.Load()
		next := w + 1
		switch {
		case w == 0:
			return false, nil
		case w&pinGoing != 0:
			next = w &^ pinGoing
		case w&pinMax == pinMax:
			return false, ErrOverflow
		}
		if c.word.CompareAndSwap(w, next|mark) {
			return true, nil
		}
	}
}

// first takes the first pin, as inc does. It is called under the reservation,
// with the pages had.
func (c *pinCount) first(mark uint32) { c.word.Store(1 | mark) }

// dec gives a pin back. If it was the last, the count stays and last is true:
// somebody must reap it under the reservation.
func (c *pinCount) dec() (last bool, err error) {
	for {
		w := c.word.Load()
		pins := w & pinMax
		if w&pinMapped != 0 {
			pins--
		}
		next := w - 1
		switch {
		case pins == 0 || w&pinGoing != 0:
			return false, ErrUnderflow
		case w == 1:
			next = 1 | pinGoing
		}
		if c.word.CompareAndSwap(w, next) {
			return w == 1, nil
		}
	}
}

// reap ends the last pin, under the reservation, unless another has taken its
// place.
func (c *pinCount) reap() bool { return c.word.CompareAndSwap(1|pinGoing, 0) }

// unmark gives the maps' pin back, under the reservation, and says whether it
// was the last.
func (c *pinCount) unmark() (last bool) {
	for {
		w := c.word.Load()
		if c.word.CompareAndSwap(w, w&^pinMapped-1) {
			return w&pinMax == 1
		}
	}
}
