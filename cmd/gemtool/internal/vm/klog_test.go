//go:build linux

package vm

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGuard(t *testing.T) {
	bad := []string{
		"WARNING: CPU: 0 PID: 1 at drivers/gpu/drm/drm_gem.c:1 f+0x1/0x2",
		"WARNING: drivers/gpu/drm/drm_gem_shmem_helper.c:101 at drm_gem_shmem_release+0x1/0x2, CPU#1: prog/57",
		"WARNING: possible circular locking dependency detected",
		"WARNING: possible recursive locking detected",
		"WARNING: inconsistent lock state",
		"WARNING: suspicious RCU usage",
		" *** DEADLOCK ***",
		"BUG kmalloc-64 (Tainted: G    B             ): Right Redzone overwritten",
		"BUG: sleeping function called from invalid context at kernel/locking/mutex.c:283",
		"kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
		"BUG: kernel NULL pointer dereference, address: 0",
		"BUG: KASAN: slab-use-after-free in f+0x1/0x2",
		"kernel BUG at mm/slub.c:1!",
		"Oops: 0000 [#1] PREEMPT SMP",
		"Oops: general protection fault, probably for non-canonical address",
		"Call Trace:",
		"refcount_t: underflow; use-after-free.",
		"UBSAN: array-index-out-of-bounds in a.c:1:2",
		"INFO: task kworker/0:1:10 blocked for more than 120 seconds.",
		"Kernel panic - not syncing: sysrq triggered crash",
	}
	for _, line := range bad {
		g := newGuard()
		g.check("[    1.000000] " + line)
		if g.problem == "" {
			t.Errorf("%q passed", line)
		}
	}
	good := []string{
		"Kernel command line: console=ttyS0 oops=panic",
		"Warning: unable to open an initial console.",
		"vkms: loading out-of-tree module taints kernel.",
		"kasan: KernelAddressSanitizer initialized",
		"debug: sleeping function checks enabled",
		"Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar",
		"... MAX_LOCKDEP_SUBCLASSES:  8",
		"kmemleak: Kernel memory leak detector initialized (mem pool available: 15679)",
		"    KTAP version 1",
		"    # Subtest: drm_gem_shmem",
		"    ok 1 drm_gem_shmem_test_obj_create",
		"# drm_exec: pass:7 fail:0 skip:0 total:7",
	}
	g := newGuard()
	for _, line := range good {
		g.check(line)
	}
	if g.problem != "" {
		t.Errorf("%q is no problem", g.problem)
	}
}

// An allowed WARNING takes its report along, and nothing behind that.
func TestGuardAllow(t *testing.T) {
	allow, err := parseAllow("# comment\n\nat mm/known\\.c:\ttested\n")
	if err != nil {
		t.Fatal(err)
	}
	g := guard{allow: allow}
	for _, line := range []string{
		"WARNING: CPU: 0 PID: 1 at mm/known.c:1 f", "Call Trace:", "---[ end trace 0 ]---",
		"WARNING: mm/known.c:1 at mm/known.c:f+0x1/0x2, CPU#1: prog/57", "Call Trace:", "---[ end trace 0 ]---",
	} {
		g.check(line)
	}
	if g.problem != "" {
		t.Errorf("stopped at %q", g.problem)
	}
	g.check("Call Trace:")
	if g.problem == "" {
		t.Error("the allowed report did not end")
	}
}

func TestParseAllow(t *testing.T) {
	if _, err := parseAllow(allowText); err != nil {
		t.Errorf("the committed list: %v", err)
	}
	for _, text := range []string{"no reason\n", "no reason\t \n", "(\tbad expression\n"} {
		if _, err := parseAllow(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

// Lines of console and kmsg count once and come out in order of time.
func TestKlogMerge(t *testing.T) {
	l := newKlog(nil)
	fmt.Fprint(l, "SeaBIOS\r\n[    1.000000] warning\r\n[    3.000000] pan")
	l.addLines("[    0.500000] info\n[    1.000000] warning\n[    2.000000] more\n")
	fmt.Fprint(l, "ic\x1b")
	l.flush()
	want := []string{"SeaBIOS", "[    0.500000] info", "[    1.000000] warning", "[    2.000000] more", `[    3.000000] panic\x1b`}
	if diff := cmp.Diff(want, l.tail(10)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[3:], l.tail(2)); diff != "" {
		t.Errorf("the last two (-want +got):\n%s", diff)
	}
}

// The log stays bounded, and the guard sees what has left it.
func TestKlogBound(t *testing.T) {
	l := newKlog(nil)
	fmt.Fprintln(l, "[    0.000001] BUG: first")
	for i := range 2 * klogLines {
		fmt.Fprintf(l, "[%5d.000000] line\n", i)
	}
	l.addLines(strings.Repeat("y", 10*klogMaxLine) + "\n")
	fmt.Fprint(l, strings.Repeat("x", 10*klogMaxLine))
	for _, line := range l.lines {
		if len(line) > klogMaxLine {
			t.Fatalf("a line of %d bytes is kept", len(line))
		}
	}
	if len(l.lines) != klogLines || len(l.seen) != len(l.lines) || len(l.part) > klogMaxLine {
		t.Errorf("%d lines, %d seen, %d bytes of a line", len(l.lines), len(l.seen), len(l.part))
	}
	if line, _ := l.problem(1); line != "[    0.000001] BUG: first" {
		t.Errorf("problem: got %q", line)
	}
}

// The report of a complaint has the lines before it, and the byte that ends a
// line that is too long is not lost.
func TestKlogProblem(t *testing.T) {
	l := newKlog(nil)
	for i, line := range []string{"a", "b", "prog invoked oom-killer", "c", "Call Trace:", "d"} {
		fmt.Fprintf(l, "[    %d.000000] %s\n", i, line)
	}
	line, report := l.problem(4)
	if want := []string{"[    1.000000] b", "[    2.000000] prog invoked oom-killer", "[    3.000000] c", line}; line != "[    4.000000] Call Trace:" || !slices.Equal(report, want) {
		t.Errorf("got %q: %q", line, report)
	}
	long := newKlog(nil)
	fmt.Fprintln(long, strings.Repeat("x", klogMaxLine)+"y")
	if got := long.lines; len(got) != 2 || got[1] != "y" {
		t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
	}
}

func TestFormatKmsg(t *testing.T) {
	for record, want := range map[string]string{
		"4,12,3000042,-;some text; here\n SUBSYSTEM=pci\n": "[    3.000042] some text; here\n",
		"garbage":       "",
		"4,1,x,-;text":  "",
		"4,1;text":      "",
		"12,1,5,c;tail": "[    0.000005] tail\n",
	} {
		var b strings.Builder
		formatKmsg(&b, record)
		if b.String() != want {
			t.Errorf("%q: got %q, want %q", record, b.String(), want)
		}
	}
}
