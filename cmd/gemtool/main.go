// Gemtool shows what the DRM devices of a machine can do with each other's
// buffers, and proves it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/command"
	"github.com/gemtool/gemtool/gem/conformance"
)

func main() {
	asInit()
	conformance.RunChild()
	// Ctrl-C cancels the context, so that every command gives back what it
	// took (VMs, masters, files); a second one kills as usual.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop)
	os.Exit(command.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
