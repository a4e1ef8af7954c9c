package command

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
)

func newExplain() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain ERRNO [CALL]",
		Short: "Say what an errno of a DRM device or a dma-buf means",
		Long: `Explain puts an errno in plain words: what it means as the answer of a device or
a dma-buf, what to try, and what kernels differ in. ERRNO is a name, a number or
a text. CALL is the call that it came from, as errors name it, with or without
DRM_IOCTL_; or open, or mmap.`,
		Example: `  gemtool explain EINVAL PRIME_FD_TO_HANDLE
  gemtool explain -- -13
  gemtool explain "no such device"`,
		Args: arguments,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				return words.Errnos(), cobra.ShellCompDirectiveNoFileComp
			case 1:
				return words.Calls(), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: run(func(cmd *cobra.Command, args []string) error {
			errno, ok := words.Parse(args[0])
			if !ok {
				return usageError("%q is no errno of Linux", args[0])
			}
			call := ""
			if len(args) > 1 {
				call = callName(args[1])
			}
			doc := &explainJSON{
				Schema: "gemtool.explain/v1", Errno: words.Name(errno), Number: int(errno), Text: errno.Error(), Call: call,
				Meanings: []meaningJSON{},
			}
			for _, h := range words.About(doc.Errno, call) {
				doc.Meanings = append(doc.Meanings, meaningJSON(h))
			}
			return show(cmd, doc)
		}),
	}
	addJSON(cmd)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		if regexp.MustCompile(`shorthand flag: '[0-9]`).MatchString(err.Error()) {
			return usageError("%w: a negative number goes behind --, as in gemtool explain -- -13", err)
		}
		return err
	})
	return cmd
}

// callName turns DRM_IOCTL_MODE_ATOMIC into MODE_ATOMIC.
func callName(s string) string {
	upper := strings.TrimPrefix(strings.ToUpper(s), "DRM_IOCTL_")
	for _, c := range words.Calls() {
		if strings.EqualFold(c, s) || c == upper || c == "DMA_BUF_IOCTL_"+upper {
			return c
		}
	}
	return s
}

type explainJSON struct {
	Schema   string        `json:"schema"`
	Errno    string        `json:"errno"`
	Number   int           `json:"number"`
	Text     string        `json:"text"`
	Call     string        `json:"call,omitempty"`
	Meanings []meaningJSON `json:"meanings"` // those that fit best come first
}

type meaningJSON struct {
	Errno    string   `json:"errno"`
	Call     string   `json:"call,omitempty"`     // empty: of any call
	Importer []string `json:"importer,omitempty"` // only if it is one of these drivers
	Exporter []string `json:"exporter,omitempty"`
	Means    string   `json:"means"`
	Try      string   `json:"try,omitempty"`
	Versions string   `json:"versions,omitempty"` // what kernels differ in
}

func (e *explainJSON) text(p *page) {
	p.line("%s is errno %d, %q.", e.Errno, e.Number, e.Text)
	if len(e.Meanings) == 0 {
		p.line("")
		p.line("Nothing is known here about what DRM devices and dma-bufs mean by it.")
		return
	}
	if e.Call != "" && !slices.ContainsFunc(e.Meanings, func(m meaningJSON) bool { return m.Call != "" }) {
		p.line("")
		p.line("Nothing special is known of %s.", words.Escape(e.Call))
	}
	for _, m := range e.Meanings {
		p.line("")
		p.line("%s: %s", m.where(), sentences(m.Means))
		if m.Try != "" {
			p.line("  %s", sentences(words.Hint{Try: m.Try}.Advice()))
		}
		if m.Versions != "" {
			p.line("  Kernels: %s", sentences(m.Versions))
		}
	}
}

func (m meaningJSON) where() string {
	s := "any call"
	if m.Call != "" {
		s = m.Call
	}
	if len(m.Importer) > 0 {
		s += ", into " + strings.Join(m.Importer, ", ")
	}
	if len(m.Exporter) > 0 {
		s += ", from " + strings.Join(m.Exporter, ", ")
	}
	return s
}
