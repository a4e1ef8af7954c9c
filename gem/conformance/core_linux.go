package conformance

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

var coreCases = []Case{
	{ID: "I09", Title: "a core dump has the process, and nothing of its buffers", Needs: Needs{Memory: Shmem}, Run: dumpCore},
}

// coreChild dies of a panic with a core dump: PATH. It says where its buffer
// is mapped, and where its own memory is.
func coreChild(c *child) error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}); err != nil {
		return err
	}
	dev, err := drm.Open(c.args[0], drm.Options{})
	if err != nil {
		return err
	}
	o, err := gem.StoreOf(dev).Create(1024, 1024, 32)
	if err != nil {
		return err
	}
	m, err := o.VMap(c.context(), prime.ReadWrite)
	if err != nil {
		return err
	}
	for i := range m.Bytes() {
		m.Bytes()[i] = 0xc0
	}
	own := make([]byte, 1<<20)
	own[0] = 1
	c.say(fmt.Sprintf("%p %p", m.Bytes(), own))
	debug.SetTraceback("crash")
	panic("core")
}

func dumpCore(t T, env *Env) {
	if !env.Strict {
		t.Skipf("where cores go is a setting of the whole system: %s", VMOnly)
	}
	dir, err := os.MkdirTemp("", "core")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { wantErr(t, "removing the cores", os.RemoveAll(dir), nil) })
	const setting = "/proc/sys/kernel/core_pattern"
	old, err := os.ReadFile(setting)
	if err != nil {
		t.Skipf("this kernel dumps no cores: %v", err)
	}
	if err := os.WriteFile(setting, []byte(filepath.Join(dir, "core")), 0o644); err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { wantErr(t, "core_pattern", os.WriteFile(setting, old, 0o644), nil) })

	p := env.start(t, "core", nil, env.Path)
	var buffer, own uint64
	if _, err := fmt.Sscanf(p.line(), "0x%x 0x%x", &buffer, &own); err != nil {
		t.Fatalf("the child's addresses: %v", err)
	}
	_ = p.wait()
	if p.signal() != syscall.SIGABRT {
		t.Fatalf("the child ended by %v\n%s", p.cmd.ProcessState, p.stderr.String())
	}
	cores, err := filepath.Glob(filepath.Join(dir, "core*")) // with core_uses_pid there is a number behind it
	if err != nil || len(cores) != 1 {
		t.Fatalf("cores %q, %v", strings.Join(cores, " "), err)
	}
	core, err := elf.Open(cores[0])
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer core.Close()
	if n := dumped(core, own); n == 0 {
		t.Errorf("the core has nothing of the process's own memory")
	}
	if n := dumped(core, buffer); n != 0 {
		t.Errorf("the core has %d bytes of the buffer", n)
	}
}

// dumped returns how many bytes a core has of the mapping at an address.
func dumped(core *elf.File, address uint64) uint64 {
	for _, p := range core.Progs {
		if p.Type == elf.PT_LOAD && p.Vaddr <= address && address < p.Vaddr+p.Memsz {
			return p.Filesz
		}
	}
	return 0
}
