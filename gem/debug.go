//go:build gemdebug

package gem

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// stack is where an object was made.
type stack []uintptr

func creator() stack {
	pcs := make(stack, 32)
	const outside = 3 // Callers, creator, newObject
	return pcs[:runtime.Callers(outside, pcs)]
}

func (s stack) String() string {
	var b strings.Builder
	frames := runtime.CallersFrames(s)
	for {
		f, more := frames.Next()
		fmt.Fprintf(&b, "%s\n\t%s:%d\n", f.Function, f.File, f.Line)
		if !more {
			return b.String()
		}
	}
}

func init() {
	OnWarn(func(w Warning) { fmt.Fprintln(os.Stderr, w) })
}
