//go:build linux

package vm

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

const qemuProgram = "qemu-system-x86_64"

// qemu is an installed QEMU and the devices it was built with.
type qemu struct {
	path    string
	devices map[string]bool
}

func findQEMU(ctx context.Context) (*qemu, error) {
	path, err := exec.LookPath(qemuProgram)
	if err != nil {
		return nil, fmt.Errorf("%w: install QEMU (Debian, Ubuntu: apt install qemu-system-x86)", err)
	}
	out, err := exec.CommandContext(ctx, path, "-device", "help").Output()
	if err != nil {
		return nil, fmt.Errorf("%s -device help: %w%s", path, err, stderrOf(err))
	}
	return &qemu{path: path, devices: parseDeviceHelp(string(out))}, nil
}

func (q *qemu) has(device string) bool { return q.devices[device] }

// parseDeviceHelp reads lines as `name "qxl", bus PCI, desc "..."`, where an
// alias may follow the bus.
func parseDeviceHelp(text string) map[string]bool {
	devices := map[string]bool{}
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, `name "`)
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(rest, `"`)
		devices[name] = true
	}
	return devices
}

// File descriptors that QEMU inherits.
const (
	fdPort   = 3 // socket of the virtio-serial port
	fdImage  = 4 // initramfs
	portName = "gemtool"
)

// args is QEMU's command line. Nothing in it depends on a path that another
// VM could use too.
func (p *plan) args(cfg *Config, accel string) []string {
	args := []string{
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		// Sockets of their own: a kernel without ACPI finds no other CPUs.
		"-m", cfg.Memory, "-smp", fmt.Sprintf("%[1]d,sockets=%[1]d", cfg.CPUs),
	}
	image := p.kernel.image
	if accel == "kvm" {
		args = append(args, "-accel", "kvm", "-cpu", "host")
	} else {
		// "max" boots fastest of the models tried, and runs GOAMD64=v3. One
		// thread for all CPUs costs nothing at boot. With one each, a CPU can
		// run kernel text that another is patching: QEMU 7.2 was seen to
		// panic in an int3 of a static key.
		args = append(args, "-accel", "tcg,thread=single", "-cpu", "max")
		if elf, err := unpackKernel(image); err == nil {
			image = elf
		}
	}
	args = append(args,
		"-kernel", image,
		"-initrd", fmt.Sprintf("/dev/fd/%d", fdImage),
		"-append", p.cmdline(cfg),
		"-chardev", "stdio,id=console,signal=off", "-device", "isa-serial,chardev=console",
		"-chardev", fmt.Sprintf("socket,id=port,fd=%d", fdPort),
		"-device", "virtio-serial-pci", "-device", "virtserialport,chardev=port,name="+portName,
	)
	for _, d := range p.devices {
		args = append(args, "-device", d)
	}
	for i, d := range p.mounts {
		fs := fmt.Sprintf("local,id=fs%d,path=%s,security_model=none,multidevs=remap", i, strings.ReplaceAll(d.Host, ",", ",,"))
		if d.ReadOnly {
			fs += ",readonly=on"
		}
		args = append(args, "-fsdev", fs, "-device", fmt.Sprintf("virtio-9p-pci,fsdev=fs%d,mount_tag=%s", i, mountTag(i)))
	}
	return args
}

// cmdline is the kernel's command line. The serial console costs 2 s of an
// emulated boot when it prints everything, so it gets warnings and worse; init
// sends the rest.
func (p *plan) cmdline(cfg *Config) string {
	level := "loglevel=5"
	if cfg.Verbose {
		level = "loglevel=7"
	}
	args := []string{
		"console=ttyS0", level, "printk.time=1", "panic=-1",
		"mitigations=off", "random.trust_cpu=on", "tsc=reliable", "no_timer_check",
		"cryptomgr.notests",
	}
	if cfg.Append != "" {
		args = append(args, cfg.Append)
	}
	return strings.Join(args, " ")
}

// stderrOf is what a failed command said, to append to an error.
func stderrOf(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return ": " + printable(strings.TrimSpace(string(exit.Stderr)))
	}
	return ""
}
