package command

import (
	"io"
	"os"
	"path/filepath"
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
		Args:   arguments,
		Hidden: true,
		RunE: run(func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			header := doc.GenManHeader{Section: "1", Source: "gemtool", Manual: "User Commands"}
			// The same source makes the same pages, where the build knew it.
			// Else the day is SOURCE_DATE_EPOCH's, or today.
			if at, err := time.Parse(time.RFC3339, readBuild().time); err == nil {
				header.Date = &at
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			asMarkdown(root)
			return writePages(root, header, args[0])
		}),
	}
}

// writePages writes the pages of a command and of those below it.
func writePages(cmd *cobra.Command, header doc.GenManHeader, dir string) error {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			if err := writePages(c, header, dir); err != nil {
				return err
			}
		}
	}
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + "." + header.Section
	return writeWhole(filepath.Join(dir, name), func(w io.Writer) error { return doc.GenMan(cmd, &header, w) })
}

// asMarkdown writes the commands' descriptions for the generator, which takes
// them for Markdown: the lines of lists, which stay as they are, and names with
// underscores.
func asMarkdown(cmd *cobra.Command) {
	lines := strings.Split(cmd.Long, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "\t") {
			lines[i] = "\t" + strings.TrimPrefix(strings.TrimPrefix(line, "\t"), "  ")
		} else {
			lines[i] = strings.ReplaceAll(line, "_", "\\_")
		}
	}
	cmd.Long = strings.Join(lines, "\n")
	for _, c := range cmd.Commands() {
		asMarkdown(c)
	}
}
