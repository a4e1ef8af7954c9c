package drm

import (
	"time"

	"golang.org/x/sys/unix"
)

// Monotonic reads CLOCK_MONOTONIC, which the kernel's times are of that this
// package deals in: of events, waits and deadlines. A time.Time hides what it
// knows of that clock.
func Monotonic() time.Duration {
	var ts unix.Timespec
	// It fails only for clocks that do not exist.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return time.Duration(ts.Nano())
}
