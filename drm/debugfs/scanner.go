package debugfs

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
)

// scanner goes through a text in the kernel's order.
type scanner struct {
	text []byte
	at   int
}

func (s *scanner) rest() []byte { return s.text[s.at:] }

func (s *scanner) done() bool { return s.at == len(s.text) }

func (s *scanner) fail(format string, args ...any) error {
	return &SyntaxError{Offset: s.at, Want: fmt.Sprintf(format, args...)}
}

// literal goes past text, if that is next.
func (s *scanner) literal(text string) bool {
	ok := bytes.HasPrefix(s.rest(), []byte(text))
	if ok {
		s.at += len(text)
	}
	return ok
}

// match goes past a match of re, which must be anchored, and returns its
// groups.
func (s *scanner) match(re *regexp.Regexp) ([]string, bool) {
	m := re.FindSubmatch(s.rest())
	if m == nil {
		return nil, false
	}
	s.at += len(m[0])
	groups := make([]string, len(m)-1)
	for i := range groups {
		groups[i] = string(m[i+1])
	}
	return groups, true
}

// numbers converts digits that a regular expression has matched, into fields
// that may be too small for them.
type numbers struct{ err error }

func parse[T uint32 | uint64](n *numbers, digits string, base int) T {
	v, err := strconv.ParseUint(digits, base, 64)
	if err == nil && uint64(T(v)) != v {
		err = strconv.ErrRange
	}
	if err != nil && n.err == nil {
		n.err = fmt.Errorf("number %s out of range", digits)
	}
	return T(v)
}
