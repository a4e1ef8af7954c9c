package conformance

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/ioctl"
)

func exportNamed(t T, env *Env) {
	dev := env.Open(t)
	fd := export(t, dev, createDumb(t, dev, 64, 64, 32).Handle)
	long := strings.Repeat("n", 31)
	hostile := "\x1b[31mX\nsize:\t1"
	for _, name := range []string{long, hostile, ""} {
		wantErr(t, fmt.Sprintf("name %q", name), setName(fd, name), nil)
		if target := linkOf(t, fd); target != "/dmabuf:"+name {
			t.Errorf("named %q, it is %q", name, target)
		}
	}
	wantErr(t, "first name", setName(fd, "first"), nil)
	for _, n := range []int{32, 33, 500} {
		wantErr(t, fmt.Sprintf("%d bytes", n), setName(fd, strings.Repeat("n", n)), syscall.EINVAL)
	}
	if target := linkOf(t, fd); target != "/dmabuf:first" {
		t.Errorf("after refused names it is %q", target)
	}
}

func linkOf(t T, fd *ioctl.FD) (target string) {
	t.Helper()
	err := fd.Use(func(n int) (err error) {
		target, err = os.Readlink(fmt.Sprintf("/proc/self/fd/%d", n))
		return err
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return target
}

func exportInfo(t T, env *Env) {
	dev := env.Open(t)
	b, _ := dumbPages(t, dev, 4)
	fd := export(t, dev, b.Handle)
	wantErr(t, "name", setName(fd, "n\nsize:\t1"), nil)
	before := infoOf(t, fd)
	if before["size"] != fmt.Sprint(b.Size) {
		t.Errorf("size %q, want %d", before["size"], b.Size)
	}
	if before["exp_name"] == "" {
		t.Errorf("no exporter's name in %q", before)
	}
	n, err := control(fd, unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("dup: %v", err)
	}
	defer unix.Close(n)
	var counts [2]int
	for i, info := range []map[string]string{before, infoOf(t, fd)} {
		if _, err := fmt.Sscan(info["count"], &counts[i]); err != nil {
			t.Fatalf("count %q: %v", info["count"], err)
		}
	}
	if counts[0] < 1 || counts[1] <= counts[0] {
		t.Errorf("counts before and after a dup: %v", counts)
	}
}

// infoOf reads the keys of a descriptor's fdinfo. The first of two counts:
// the kernel's own lines come before the name, which is anybody's.
func infoOf(t T, fd *ioctl.FD) map[string]string {
	t.Helper()
	var text []byte
	err := fd.Use(func(n int) (err error) {
		text, err = os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", n))
		return err
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	info := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		if _, ok := info[key]; !ok {
			info[key] = strings.TrimSpace(value)
		}
	}
	return info
}
