package command

import (
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/nvml"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
)

func newVersion() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "version",
		Short:             "Show what this gemtool is, and the kernel below it",
		Args:              arguments,
		ValidArgsFunction: nothing,
		RunE: run(func(cmd *cobra.Command, _ []string) error {
			b := readBuild()
			doc := versionJSON{
				Schema: "gemtool.version/v1", Version: b.version, Revision: b.revision, Time: b.time, Modified: b.modified,
				Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, CGO: b.cgo, NVML: nvml.Built,
			}
			if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
				doc.Kernel = strings.TrimSpace(string(release))
			}
			return show(cmd, &doc)
		}),
	}
	addJSON(cmd)
	return cmd
}

type versionJSON struct {
	Schema   string `json:"schema"`
	Version  string `json:"version"`            // of the module: "(devel)" outside of a release
	Revision string `json:"revision,omitempty"` // of the source, where the build knew it
	Time     string `json:"time,omitempty"`     // of the revision, RFC 3339
	Modified bool   `json:"modified"`           // the source was not quite that revision
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	CGO      bool   `json:"cgo"`
	NVML     bool   `json:"nvml"` // whether NVIDIA's library can be asked
	Kernel   string `json:"kernel,omitempty"`
}

func (v *versionJSON) text(p *page) {
	p.line("gemtool %s", words.Escape(v.Version))
	if v.Revision != "" {
		modified := ""
		if v.Modified {
			modified = ", modified"
		}
		p.line("revision  %s of %s%s", words.Escape(v.Revision), words.Escape(v.Time), modified)
	}
	static := "static"
	if v.CGO {
		static = "with cgo"
	}
	p.line("build     %s, %s/%s, %s", v.Go, v.OS, v.Arch, static)
	nvml := "not built in (make build-nvml)"
	if v.NVML {
		nvml = "built in"
	}
	p.line("NVML      %s", nvml)
	if v.Kernel != "" {
		p.line("kernel    %s", words.Escape(v.Kernel))
	}
}

// build is what the linker wrote into this program.
type build struct {
	version, revision, time string
	modified, cgo           bool
}

func readBuild() build {
	b := build{version: "(devel)"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.revision = s.Value
		case "vcs.time":
			b.time = s.Value
		case "vcs.modified":
			b.modified = s.Value == "true"
		case "CGO_ENABLED":
			b.cgo = s.Value == "1"
		}
	}
	return b
}
