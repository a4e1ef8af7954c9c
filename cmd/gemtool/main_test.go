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
	if !slices.Contains(heeded(), os.Signal(syscall.SIGHUP)) {
		t.Skip("this test itself runs below nohup")
	}
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	if all := heeded(); slices.Contains(all, os.Signal(syscall.SIGHUP)) || len(all) != 2 {
		t.Errorf("got %v", all)
	}
}
