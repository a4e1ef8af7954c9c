//go:build linux

package vm

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// fakeQEMU puts a shell script in QEMU's place.
func fakeQEMU(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	text := "#!/bin/sh\nif [ \"$1\" = -device ]; then echo 'name \"bochs-display\", bus PCI'; exit; fi\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(dir, qemuProgram), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
}

// fakeKernel writes the smallest file that passes for a bzImage.
func fakeKernel(t *testing.T) string {
	t.Helper()
	b := make([]byte, 4096)
	copy(b[0x202:], "HdrS")
	name := filepath.Join(t.TempDir(), "vmlinuz")
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestNoQEMU(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	r := runNow(t.Context(), Config{Args: []string{"/bin/sh"}})
	r.wantError(t, "install QEMU")
}

// What a dying QEMU says is in the error, and a second run does not try KVM
// again.
func TestQEMUDies(t *testing.T) {
	fakeQEMU(t, `echo "$*" >>"$XDG_CACHE_HOME/calls"; echo "[    0.1] on the console"; echo "no memory" >&2; exit 3`)
	cfg := Config{Args: []string{"/bin/sh"}, Kernel: fakeKernel(t), Devices: []string{"none"}}
	for range 2 {
		r := runNow(t.Context(), cfg)
		r.wantError(t, "QEMU ended (exit status 3): no memory")
		if !strings.Contains(r.log, "emulated, as KVM") || !strings.Contains(r.log, "on the console") {
			t.Errorf("log: %s", r.log)
		}
	}
	calls, err := os.ReadFile(os.Getenv("XDG_CACHE_HOME") + "/calls")
	if err != nil {
		t.Fatal(err)
	}
	kvm := 0
	if f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0); err == nil {
		f.Close()
		kvm = 1
	}
	if got := bytes.Count(calls, []byte("-accel kvm")); got != kvm {
		t.Errorf("KVM was tried %d times, want %d:\n%s", got, kvm, calls)
	}
}

func TestKernelErrors(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	whole, err := os.ReadFile(fakeKernel(t))
	if err != nil {
		t.Fatal(err)
	}
	cut := bytes.Clone(whole)
	cut[0x1f5] = 1 // 4 KiB of code are announced
	for name, b := range map[string][]byte{"text": []byte("no kernel"), "cut": cut, "empty": nil} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ kernel, modules, err string }{
		{"6.12", "", `run "make kernel KERNEL=6.12", or pass --kernel host, or --kernel PATH --modules DIR`},
		{dir + "/missing", "", "no such file"},
		{dir + "/text", "", "not an x86 kernel image"},
		{dir + "/empty", "", "not an x86 kernel image"},
		{dir + "/cut", "", "cut off"},
		{fakeKernel(t), dir, "--modules wants the directory that holds modules.dep"},
	}
	for _, test := range tests {
		if _, err := findKernel(test.kernel, test.modules); err == nil || !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: got %v, want an error with %q", test.kernel, err, test.err)
		}
	}
	if _, err := findKernel(fakeKernel(t), ""); err != nil {
		t.Error(err)
	}
}

// /boot/vmlinuz is readable by root only on some systems: the error says what
// to do.
func TestKernelUnreadable(t *testing.T) {
	name := fakeKernel(t)
	if err := os.Chmod(name, 0); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		// The thread gives up root's right to read everything, and is not
		// used again.
		runtime.LockOSThread()
		_ = unix.Setfsuid(65534)
		_, err := findKernel(name, "")
		done <- err
	}()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "sudo cat "+name) {
		t.Errorf("got %v, want what to do", err)
	}
}

func TestArgs(t *testing.T) {
	p := &plan{
		kernel:  kernel{image: "/k"},
		devices: []string{"bochs-display"},
		mounts:  []Dir{{Host: "/a,b", Guest: "/x"}, {Host: "/c", Guest: "/y", ReadOnly: true}},
	}
	cfg := &Config{Memory: "1G", CPUs: 2, Append: "more=1"}
	args := strings.Join(p.args(cfg, "kvm"), " ")
	for _, want := range []string{
		"-accel kvm -cpu host", "-m 1G -smp 2,sockets=2", "-kernel /k ", " more=1 -chardev",
		"-device bochs-display", "-fsdev local,id=fs0,path=/a,,b,security_model=none,multidevs=remap -device virtio-9p-pci,fsdev=fs0,mount_tag=gemtool0",
		"path=/c,security_model=none,multidevs=remap,readonly=on",
	} {
		if !strings.Contains(args, want) {
			t.Errorf("no %q in %s", want, args)
		}
	}
	if tcg := p.args(cfg, "tcg"); slices.Contains(tcg, "host") || !slices.Contains(tcg, "tcg,thread=single") {
		t.Errorf("tcg: %v", tcg)
	}
}

func TestResolveDirs(t *testing.T) {
	dir := t.TempDir()
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	got, err := resolveDirs([]Dir{{Host: dir}, {Host: sub}, {Host: sub, Guest: "/s"}, {Host: dir, ReadOnly: true}})
	want := []Dir{{Host: dir, Guest: dir}, {Host: sub, Guest: "/s"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, d := range []Dir{{Host: dir + "/none"}, {Host: dir, Guest: "/"}, {Host: dir, Guest: "x"}} {
		if _, err := resolveDirs([]Dir{d}); err == nil {
			t.Errorf("%v was accepted", d)
		}
	}
}

// The guest's names never lead out of a shared directory.
func TestFileSink(t *testing.T) {
	dir := t.TempDir()
	s := newFileSink([]Dir{{Host: t.TempDir(), ReadOnly: true}, {Host: dir}})
	defer s.close()
	begin := func(f fileFrame) error {
		b, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		return s.begin(b)
	}
	for _, f := range []fileFrame{{0, "../x", 0o644}, {0, "/etc/x", 0o644}, {1, "x", 0o644}, {-1, "x", 0o644}} {
		if err := begin(f); err == nil {
			t.Errorf("%v was accepted", f)
		}
	}
	if err := begin(fileFrame{0, "a/b", 0o4755}); err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{"text", ""} {
		if err := s.data([]byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.data([]byte("x")); err == nil {
		t.Error("data without a file was accepted")
	}
	st, err := os.Stat(filepath.Join(dir, "a/b"))
	if err != nil || st.Size() != 4 || st.Mode()&os.ModeSetuid != 0 {
		t.Errorf("got %v, %v", st, err)
	}
}

func TestIsGoTest(t *testing.T) {
	for args, want := range map[string]bool{
		"/tmp/x.test":     true,
		"./x -test.v":     true,
		"./x --test.v":    true,
		"./x test.v":      false,
		"./x":             false,
		"/bin/sh -c test": false,
	} {
		if got := IsGoTest(strings.Fields(args)); got != want {
			t.Errorf("%q: got %v", args, got)
		}
	}
}

func TestForGoTest(t *testing.T) {
	t.Setenv("GEMTOOL_X", "1")
	c := Config{Args: strings.Fields("/w/x.test -test.timeout=10m0s -test.coverprofile=/cover/c.out -test.outputdir=/out -test.cpuprofile=p/cpu -test.testlogfile=/log/l")}
	if err := c.ForGoTest(); err != nil {
		t.Fatal(err)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(wd, "../../../..")
	if c.Chdir != wd || c.Timeout.String() != "10m30s" || !slices.Contains(c.Env, "GEMTOOL_X=1") {
		t.Errorf("got directory %s, timeout %v, environment %q", c.Chdir, c.Timeout, c.Env)
	}
	want := []Dir{{Host: root}, {Host: "/cover"}, {Host: "/out/p"}, {Host: "/log"}, {Host: "/out"}}
	if diff := cmp.Diff(want, c.Dirs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The kernel of the VM tests unpacks to a file that QEMU boots directly.
func TestUnpackKernel(t *testing.T) {
	if _, err := unpackKernel(fakeKernel(t)); err == nil {
		t.Error("an empty kernel was unpacked")
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []Config{{Accel: "x"}, {Share: "x"}, {CPUs: -1}, {Timeout: -1}, {Devices: []string{"x"}}, {Devices: []string{"none", "vkms"}}} {
		if err := c.Check(); err == nil {
			t.Errorf("%+v was accepted", c)
		}
		if _, err := Run(context.Background(), c); err == nil {
			t.Errorf("%+v was run", c)
		}
	}
	if err := new(Config).Check(); err != nil {
		t.Error(err)
	}
}

// A program's dynamic loader runs on this machine, and must be one of ours.
func TestCheckLoader(t *testing.T) {
	dir := t.TempDir()
	for name, uid := range map[string]int{"ld-linux.so.2": os.Geteuid(), "evil.sh": os.Geteuid(), "ld-others.so": 4242} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, uid, -1); err != nil {
			t.Skipf("NOT TESTED: %v", err)
		}
		p := &elf.Prog{ProgHeader: elf.ProgHeader{Filesz: uint64(len(path) + 1)}, ReaderAt: strings.NewReader(path + "\x00")}
		if err := checkLoader(p); (err == nil) != (name == "ld-linux.so.2") {
			t.Errorf("%s of user %d: %v", name, uid, err)
		}
	}
}

// TestCacheOfOthers passes if nothing is written into another user's cache, nor
// into his home to make one.
func TestCacheOfOthers(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", dir)
	if err := writeCache(filepath.Join(dir, "gemtool/x"), []byte("mine")); err != nil {
		t.Error(err)
	}
	if err := os.Chown(dir, 4242, -1); err != nil {
		t.Skipf("NOT TESTED: %v", err)
	}
	for _, cache := range []string{dir, filepath.Join(dir, "home/.cache")} {
		t.Setenv("XDG_CACHE_HOME", cache)
		if err := writeCache(filepath.Join(cache, "gemtool/y"), nil); err == nil || !strings.Contains(err.Error(), "another user's") {
			t.Errorf("%s: got %v", cache, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "home")); err == nil {
		t.Error("a home was made")
	}
}

// A program that the guest cannot run is refused before a VM is booted.
func TestProgramErrors(t *testing.T) {
	fakeQEMU(t, "exit 9")
	dir := t.TempDir()
	for name, text := range map[string]string{"short": "x\n", "script": "#!/bin/sh\n" + strings.Repeat("#", 100)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"/short":  "not an ELF executable",
		"/script": "not an ELF executable",
		"/none":   "no such file",
	} {
		runNow(t.Context(), Config{Args: []string{dir + name}, Kernel: fakeKernel(t)}).wantError(t, want)
	}
	runNow(t.Context(), Config{Args: []string{"no-such-program"}, Kernel: fakeKernel(t)}).wantError(t, "not found in $PATH")
}
