package command

import (
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newMan makes the command that `make install` writes the manual pages with.
func newMan() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages into a directory",
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE: run(func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			header := &doc.GenManHeader{Title: "GEMTOOL", Section: "1", Source: "gemtool", Manual: "User Commands"}
			// The same source makes the same pages.
			if at, err := time.Parse(time.RFC3339, readBuild().time); err == nil {
				header.Date = &at
			} else {
				header.Date = &time.Time{}
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			root.InitDefaultCompletionCmd()
			return doc.GenManTree(root, header, args[0])
		}),
	}
}
