//go:build cgo && linux && !nonvml

package nvml

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock"
	"github.com/google/go-cmp/cmp"
)

// mocked is a library with these GPUs, less some functions.
func mocked(count int, missing ...string) library {
	gone := map[string]bool{}
	for _, m := range missing {
		gone[m] = true
	}
	device := &mock.Device{
		GetPciInfoFunc: func() (nvml.PciInfo, nvml.Return) {
			var p nvml.PciInfo
			for i, c := range "00000000:C1:00.0" {
				p.BusId[i] = int8(c)
			}
			return p, nvml.SUCCESS
		},
		GetNameFunc:               func() (string, nvml.Return) { return "Mock GPU", nvml.SUCCESS },
		GetUUIDFunc:               func() (string, nvml.Return) { return "GPU-1", nvml.SUCCESS },
		GetVbiosVersionFunc:       func() (string, nvml.Return) { return "", nvml.ERROR_NOT_SUPPORTED },
		GetGspFirmwareVersionFunc: func() (string, nvml.Return) { return "570.1", nvml.SUCCESS },
		GetMemoryInfoFunc: func() (nvml.Memory, nvml.Return) {
			return nvml.Memory{Total: 3 << 30, Used: 1 << 30}, nvml.SUCCESS
		},
	}
	return library{&mock.Interface{
		InitFunc:                   func() nvml.Return { return nvml.SUCCESS },
		ShutdownFunc:               func() nvml.Return { return nvml.SUCCESS },
		DeviceGetCountFunc:         func() (int, nvml.Return) { return count, nvml.SUCCESS },
		SystemGetDriverVersionFunc: func() (string, nvml.Return) { return "570.2", nvml.SUCCESS },
		DeviceGetHandleByIndexFunc: func(i int) (nvml.Device, nvml.Return) {
			if i == 1 {
				return nil, nvml.ERROR_GPU_IS_LOST
			}
			return device, nvml.SUCCESS
		},
	}, func() (func(string) bool, error) {
		return func(symbol string) bool { return !gone[symbol] }, nil
	}}
}

// TestGPUs passes if all that a GPU answers is there, and a GPU that is lost is
// left out.
func TestGPUs(t *testing.T) {
	want := GPU{Address: "0000:c1:00.0", Product: "Mock GPU", UUID: "GPU-1", Driver: "570.2", Firmware: "570.1", MemoryTotal: 3 << 30, MemoryUsed: 1 << 30}
	got, err := mocked(2).GPUs()
	if diff := cmp.Diff([]GPU{want}, got); err != nil || diff != "" {
		t.Errorf("%v; want -, got +:\n%s", err, diff)
	}
	want.UUID, want.MemoryTotal, want.MemoryUsed = "", 0, 0
	got, err = mocked(1, "nvmlDeviceGetUUID", "nvmlDeviceGetMemoryInfo", "nvmlInit_v2").GPUs()
	if diff := cmp.Diff([]GPU{want}, got); err != nil || diff != "" {
		t.Errorf("with functions missing: %v; want -, got +:\n%s", err, diff)
	}
	if _, err := mocked(1, "nvmlShutdown").GPUs(); !errors.Is(err, ErrSymbol) {
		t.Errorf("without a needed function: %v", err)
	}
}

// alone runs a test in a process of its own, and says whether this is that: the
// functions of the first library that a process loads are its functions for
// good.
func alone(t *testing.T) bool {
	t.Helper()
	const key = "GEMTOOL_NVML_TEST"
	if os.Getenv(key) == t.Name() {
		return true
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$", "-test.v")
	cmd.Env = append(os.Environ(), key+"="+t.Name())
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v:\n%s", err, out)
	}
	return false
}

// fake builds a library with these functions, and opens it. The process runs on
// whatever it lacks, or this test dies.
func fake(t *testing.T, source string) library {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skipf("NO LIBRARY TESTED: %v", err)
	}
	dir := t.TempDir()
	c, so := filepath.Join(dir, "fake.c"), filepath.Join(dir, "libnvidia-ml.so.1")
	if err := os.WriteFile(c, []byte("#include <unistd.h>\n#include <string.h>\n"+source), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "gcc", "-shared", "-fPIC", "-o", so, c).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return open(so)
}

const (
	fakeInit  = "int nvmlInit_v2(void) { return 0; }\nint nvmlShutdown(void) { return 0; }\n"
	fakeCount = "int nvmlDeviceGetCount_v2(unsigned *n) { *n = 1; return 0; }\n"
	fakeGPU   = `
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **d) { *d = d; return 0; }
struct pci { char legacy[16]; unsigned domain, bus, device, id, subsystem; char bus_id[32]; };
int nvmlDeviceGetPciInfo_v3(void *d, struct pci *p) { memset(p, 0, sizeof *p); strcpy(p->bus_id, "00000000:01:00.0"); return 0; }
int nvmlDeviceGetName(void *d, char *s, unsigned n) { strncpy(s, "Fake GPU\x1b[31m", n); return 0; }
`
)

func TestLibrary(t *testing.T) {
	if !alone(t) {
		return
	}
	got, err := fake(t, fakeInit+fakeCount+fakeGPU).GPUs()
	if diff := cmp.Diff([]GPU{{Address: "0000:01:00.0", Product: "Fake GPU\x1b[31m"}}, got); err != nil || diff != "" {
		t.Errorf("%v; want -, got +:\n%s", err, diff)
	}
}

func TestLibraryMissing(t *testing.T) {
	if _, err := open(filepath.Join(t.TempDir(), "libnvidia-ml.so.1")).GPUs(); !errors.Is(err, ErrNoLibrary) {
		t.Errorf("got %v", err)
	}
}

// TestLibrarySymbols passes if a library without a function that is needed is
// an error, and not the end of the process.
func TestLibrarySymbols(t *testing.T) {
	for name, source := range map[string]string{
		"empty": "", "count": fakeInit + fakeGPU, "GPU": fakeInit + fakeCount, "init": fakeCount + fakeGPU,
	} {
		t.Run(name, func(t *testing.T) {
			if !alone(t) {
				return
			}
			if _, err := fake(t, source).GPUs(); !errors.Is(err, ErrSymbol) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestLibraryFails(t *testing.T) {
	for ret, want := range map[string]string{"9": "nvmlInit: NVIDIA's driver is not loaded", "999": "nvmlInit: NVML error 999"} {
		t.Run(ret, func(t *testing.T) {
			if !alone(t) {
				return
			}
			source := "int nvmlInit_v2(void) { return " + ret + "; }\nint nvmlShutdown(void) { return 0; }\n"
			if _, err := fake(t, source+fakeCount+fakeGPU).GPUs(); err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

// TestLibraryHangs passes if a library that hangs for two seconds holds nobody
// up for longer than asked.
func TestLibraryHangs(t *testing.T) {
	if !alone(t) {
		return
	}
	l := fake(t, "int nvmlInit_v2(void) { sleep(2); return 0; }\nint nvmlShutdown(void) { return 0; }\n"+fakeCount+fakeGPU)
	start := time.Now()
	_, err := Ask(t.Context(), l, 300*time.Millisecond)
	if took := time.Since(start); !errors.Is(err, ErrTimeout) || took > 1500*time.Millisecond {
		t.Errorf("%v after %v", err, took)
	}
	// And it is heard, if somebody waits.
	if gpus, err := Ask(t.Context(), l, time.Minute); err != nil || len(gpus) != 1 {
		t.Errorf("got %v, %v", gpus, err)
	}
}
