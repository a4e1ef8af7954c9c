//go:build !linux

package command

import "io"

// isTerminal says no where there is no device to wait for.
func isTerminal(io.Writer) bool { return false }

func terminalWidth(io.Writer) int { return 0 }
