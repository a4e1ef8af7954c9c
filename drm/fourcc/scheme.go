package fourcc

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// scheme is how a vendor makes modifiers of fields. It is that of the modifiers
// whose bits of mask are value.
type scheme struct {
	name        string
	mask, value Modifier
	fields      []field
}

// field is a number in a modifier.
type field struct {
	name        string
	shift, bits int
	high        int // the shift of two more bits, above the others; 0: there are none
	// values are the names of numbers, "" where there is none. Without any, a
	// field of one bit is a flag, shown by its name alone, and another a number.
	values []string
	bare   bool     // a value's name tells what it is, without the field's
	shown  Modifier // the bits that have a zero shown, too
}

func (f *field) put(n uint64) Modifier {
	m := Modifier(n) & (1<<f.bits - 1) << f.shift
	if f.high != 0 {
		m |= Modifier(n) >> f.bits & 3 << f.high
	}
	return m
}

func (f *field) get(m Modifier) uint64 {
	n := m >> f.shift & (1<<f.bits - 1)
	if f.high != 0 {
		n |= m >> f.high & 3 << f.bits
	}
	return uint64(n)
}

// flag says that f is there or not, and has no number to show.
func (f *field) flag() bool { return f.bits == 1 && f.high == 0 && f.values == nil }

// mask returns the bits of f.
func (f *field) mask() Modifier { return f.put(1<<64 - 1) }

// scheme returns how m was made, nil if that is not known.
func (m Modifier) scheme() *scheme {
	for i := range schemes {
		if s := &schemes[i]; m&s.mask == s.value {
			return s
		}
	}
	return nil
}

func (s *scheme) text(m Modifier) string {
	words := []string{s.name}
	rest := m &^ s.mask
	for i := range s.fields {
		f := &s.fields[i]
		if n := f.get(m); n != 0 || m&f.shown != 0 {
			words = append(words, f.text(n))
		}
		rest &^= f.mask()
	}
	if rest != 0 {
		words = append(words, fmt.Sprintf("%#x", uint64(rest)))
	}
	return strings.Join(words, ",")
}

func (f *field) text(n uint64) string {
	switch {
	case n < uint64(len(f.values)) && f.values[n] != "":
		if f.bare {
			return f.values[n]
		}
		return f.name + "=" + f.values[n]
	case f.values != nil:
		return fmt.Sprintf("%s=%#x", f.name, n)
	case f.flag():
		return f.name
	default:
		return fmt.Sprintf("%s=%d", f.name, n)
	}
}

var (
	errTwice = errors.New("a field is there twice")
	errField = errors.New("no such field")
)

// parse returns the modifier with the fields that words name.
func (s *scheme) parse(words []string) (Modifier, error) {
	m, seen := s.value, s.mask
	for _, word := range words {
		bits, mask, err := s.parseWord(word)
		switch {
		case err != nil:
			return 0, err
		case seen&mask != 0:
			return 0, fmt.Errorf("%q: %w", word, errTwice)
		}
		m, seen = m|bits, seen|mask
	}
	return m, nil
}

// parseWord returns the bits that a word sets, and those it could.
func (s *scheme) parseWord(word string) (bits, mask Modifier, err error) {
	for i := range s.fields {
		f := &s.fields[i]
		if n, ok := f.parse(word); ok {
			return f.put(n), f.mask(), nil
		}
	}
	n, ok := hex(word)
	for i := range s.fields {
		ok = ok && Modifier(n)&s.fields[i].mask() == 0
	}
	if !ok {
		return 0, 0, fmt.Errorf("%q: %w", word, errField)
	}
	return Modifier(n), Modifier(n), nil
}

func (f *field) parse(word string) (uint64, bool) {
	name, value, given := strings.Cut(word, "=")
	switch {
	case !given && f.bare:
		i := slices.Index(f.values, word)
		return uint64(i), word != "" && i >= 0
	case !given:
		return 1, f.flag() && word == f.name
	case name != f.name || value == "":
		return 0, false
	}
	if i := slices.Index(f.values, value); i >= 0 {
		return uint64(i), true
	}
	if f.values != nil {
		n, ok := hex(value)
		return n, ok && f.get(f.put(n)) == n
	}
	n, err := strconv.ParseUint(value, 10, 64)
	return n, err == nil && !f.flag() && f.get(f.put(n)) == n
}
