package command

import (
	"strings"

	"github.com/spf13/cobra"
)

// arguments checks how many arguments a command has, against those that its Use
// names: behind a bracket begin the ones that may be left out. cobra's own
// checks count them and name none.
func arguments(cmd *cobra.Command, args []string) error {
	_, use, _ := strings.Cut(cmd.Use, " ")
	names := strings.Fields(strings.ReplaceAll(use, "]", ""))
	see := "see " + cmd.CommandPath() + " --help"
	if len(args) > len(names) {
		return usageError("%s: %q is one argument too many: %s", cmd.Name(), args[len(names)], see)
	}
	if len(args) < len(names) && !strings.HasPrefix(names[len(args)], "[") {
		return usageError("%s: no %s: %s", cmd.Name(), names[len(args)], see)
	}
	return nil
}

// nothing completes no argument: file names are none.
func nothing(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}
