//go:build linux

package vm

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"time"
)

// How long init may take to say hello. With KVM a guest is up within a second
// or two, and a KVM that does not work may hang for ever. Emulated on a busy
// machine, a kernel that looks for faults in itself was seen to take a minute.
const (
	kvmTrial = 5 * time.Second
	bootTime = 2 * time.Minute
)

// bootAccel boots with the accelerator cfg asks for; "auto" tries KVM and then
// emulates. It says on cfg.Log which one runs.
func bootAccel(ctx context.Context, cfg *Config, p *plan, image *os.File) (*machine, error) {
	boot := func(accel string, limit time.Duration) (*machine, error) {
		return boot(ctx, cfg, p, image, accel, limit)
	}
	if cfg.Accel != "auto" {
		m, err := boot(cfg.Accel, cfg.bootLimit)
		return m, logTail(cfg, m, err)
	}

	why := kvmRefusal(p.qemu)
	if why == "" {
		m, err := boot("kvm", kvmTrial)
		if err == nil {
			fmt.Fprintln(cfg.Log, "gemtool: vm: running with KVM")
			return m, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		why = "tried KVM: " + err.Error()
		if err := rememberNoKVM(p.qemu, why); err != nil {
			fmt.Fprintf(cfg.Log, "gemtool: vm: cannot keep the verdict on KVM: %v\n", err)
		}
	}
	if cfg.Verbose {
		fmt.Fprintf(cfg.Log, "gemtool: vm: emulated by TCG (%s)\n", why)
	} else {
		fmt.Fprintln(cfg.Log, "gemtool: vm: emulated, as KVM is not there or does not work (-v says more)")
	}
	m, err := boot("tcg", cfg.bootLimit)
	return m, logTail(cfg, m, err)
}

// boot starts QEMU and waits for the guest's init. With an error the machine,
// if there is one, is dead and has only its log left.
func boot(ctx context.Context, cfg *Config, p *plan, image *os.File, accel string, limit time.Duration) (*machine, error) {
	console := cfg.Log
	if !cfg.Verbose {
		console = nil
	}
	m, err := startQEMU(p.qemu.path, p.args(cfg, accel), image, console)
	if err != nil {
		return nil, err
	}
	hello, err := m.waitHello(ctx, limit)
	if err != nil {
		m.kill()
		return m, err
	}
	if cfg.Verbose {
		fmt.Fprintf(cfg.Log, "gemtool: vm: Linux %s up after %.2f s (%s)\n", printable(hello.Release), time.Since(m.start).Seconds(), accel)
	}
	return m, nil
}

// kvmRefusal says why KVM need not be tried, or "".
func kvmRefusal(q *qemu) string {
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return err.Error()
	}
	f.Close()
	file, err := kvmVerdict(q)
	if err != nil {
		return ""
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return printable(strings.TrimSpace(string(b)))
}

// rememberNoKVM keeps the verdict for this boot of this machine and this
// QEMU, so that only the first run pays for the trial.
func rememberNoKVM(q *qemu, why string) error {
	file, err := kvmVerdict(q)
	if err != nil {
		return err
	}
	return writeCache(file, []byte(why+"\n"))
}

func kvmVerdict(q *qemu) (string, error) {
	bootID, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	st, err := os.Stat(q.path)
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(fmt.Append(nil, string(bootID), q.path, st.ModTime().UnixNano()))
	return cachePath("kvm", fmt.Sprintf("%x", key[:8]))
}
