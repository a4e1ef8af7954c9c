//go:build !linux

package command

import (
	"errors"

	"github.com/spf13/cobra"
)

func newVM() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vm [flags] -- COMMAND [ARG...]",
		Short: "Run a program in a throw-away VM (on Linux)",
		RunE: run(func(*cobra.Command, []string) error {
			return errors.ErrUnsupported
		}),
	}
	addJSON(cmd)
	return cmd
}
