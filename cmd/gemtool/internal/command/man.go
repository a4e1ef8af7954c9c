package command

import (
	"os"
	"strings"
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
			// The same source makes the same pages, where the build knew it.
			// Else the day is SOURCE_DATE_EPOCH's, or today.
			if at, err := time.Parse(time.RFC3339, readBuild().time); err == nil {
				header.Date = &at
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			root.InitDefaultCompletionCmd()
			asMarkdown(root)
			return doc.GenManTree(root, header, args[0])
		}),
	}
}

// asMarkdown indents the lists in the commands' descriptions as the generator,
// which takes them for Markdown, wants lines that stay as they are.
func asMarkdown(cmd *cobra.Command) {
	cmd.Long = strings.ReplaceAll(cmd.Long, "\n  ", "\n\t")
	for _, c := range cmd.Commands() {
		asMarkdown(c)
	}
}
