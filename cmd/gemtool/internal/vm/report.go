//go:build linux

package vm

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// tailLines is how much of the kernel's log a failure shows.
const tailLines = 40

// logTail shows the end of the guest's kernel log when err is not nil, and
// returns err.
func logTail(cfg *Config, m *machine, err error) error {
	if err == nil || m == nil || errors.Is(err, context.Canceled) {
		return err
	}
	showLog(cfg, "the end of the guest's kernel log", m.log.tail(tailLines))
	return err
}

func showLog(cfg *Config, title string, lines []string) {
	if len(lines) > 0 {
		fmt.Fprintf(cfg.Log, "gemtool: vm: %s:\n| %s\n", title, strings.Join(lines, "\n| "))
	}
}
