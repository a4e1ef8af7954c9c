//go:build !gemdebug

package gem

// stack is where an object was made, which only the debug build remembers.
type stack struct{}

func creator() stack         { return stack{} }
func (stack) String() string { return "" }
