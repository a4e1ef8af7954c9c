package resv_test

import (
	"context"
	"fmt"

	"github.com/gemtool/gemtool/prime/resv"
)

// One reservation is taken with a context, and its Held is the proof for
// whatever wants to know that it is held.
func ExampleReservation_Lock() {
	var r resv.Reservation // in a program: that of an object, as of gem.Object
	h, err := r.Lock(context.Background())
	if err != nil {
		return // the context has ended
	}
	fmt.Println("held:", h.Holds(&r))
	if err := h.Unlock(); err != nil {
		fmt.Println(err)
	}
	fmt.Println("held:", h.Holds(&r))
	// Output:
	// held: true
	// held: false
}

// Several reservations that are known beforehand are taken at once, in any
// order. What is named twice counts once.
func ExampleSet_Lock() {
	var from, to resv.Reservation
	var s resv.Set
	if err := s.Lock(context.Background(), &from, &to, &from); err != nil {
		return
	}
	h, ok := s.Held(&to)
	fmt.Println(ok, h.Holds(&to))
	if err := s.Unlock(); err != nil {
		fmt.Println(err)
	}
	// Output: true true
}

// Where the first reservation tells which ones follow, the set grows. If an
// older set is in the way, everything is given back and the function called
// again: it does nothing that it cannot do twice.
func ExampleSet_Until() {
	type buffer struct {
		resv.Reservation
		next *buffer // guarded by the reservation
	}
	list := &buffer{next: &buffer{next: &buffer{}}}
	ctx := context.Background()
	var s resv.Set
	n := 0
	err := s.Until(ctx, func(s *resv.Set) error {
		n = 0
		for b := list; b != nil; b = b.next {
			if err := s.Add(ctx, &b.Reservation); err != nil {
				return err // as it is: Until knows what to do
			}
			n++
		}
		return nil
	})
	fmt.Println(n, err)
	if err := s.Unlock(); err != nil {
		fmt.Println(err)
	}
	// Output: 3 <nil>
}
