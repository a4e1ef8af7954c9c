// Gemtool shows what the DRM devices of a machine can do with each other's
// buffers, and proves it.
package main

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/command"
	"github.com/gemtool/gemtool/gem/conformance"
)

func main() {
	asInit()
	conformance.RunChild()
	// Ctrl-C cancels the context, so that every command gives back what it
	// took (VMs, masters, files); a second one kills as usual.
	ctx, stop := signal.NotifyContext(context.Background(), heeded()...)
	context.AfterFunc(ctx, stop)
	os.Exit(command.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// heeded are the signals that end a command: SIGTERM, and those that its caller
// has not switched off, as nohup does. (Of SIGTERM Go does not know.)
func heeded() []os.Signal {
	return append(slices.DeleteFunc([]os.Signal{syscall.SIGINT, syscall.SIGHUP}, signal.Ignored), syscall.SIGTERM)
}
