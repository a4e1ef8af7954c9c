package main

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"testing"
)

// TestHeeded passes if a signal that the caller switched off, as nohup does,
// stays so.
func TestHeeded(t *testing.T) {
	if all := heeded(); slices.Contains(all, os.Signal(syscall.SIGHUP)) == signal.Ignored(syscall.SIGHUP) {
		t.Errorf("at the start: got %v", all)
	}
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	if all := heeded(); slices.Contains(all, os.Signal(syscall.SIGHUP)) || len(all) != 2 {
		t.Errorf("got %v", all)
	}
}
