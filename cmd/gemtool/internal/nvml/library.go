//go:build cgo && linux && !nonvml

package nvml

import (
	"fmt"
	"slices"
	"strings"

	"github.com/NVIDIA/go-nvml/pkg/dl"
	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// Built says whether the library can be asked.
const Built = true

// New returns this machine's library.
func New() Source { return open("libnvidia-ml.so.1") }

func open(path string) library {
	return library{nvml.New(nvml.WithLibraryPath(path)), func() (func(string) bool, error) {
		d := dl.New(path, dl.RTLD_LAZY|dl.RTLD_GLOBAL)
		if err := d.Open(); err != nil {
			return nil, fmt.Errorf("%w: %v", ErrNoLibrary, err)
		}
		return func(symbol string) bool { return d.Lookup(symbol) == nil }, nil
	}}
}

// library is the library, and what functions it has. Calling one that it lacks
// would end the process, as the loader cannot return an error; so each is
// looked up before.
type library struct {
	nvml.Interface
	load func() (has func(symbol string) bool, err error)
}

// needed are the functions without which nothing can be said, of each the
// versions that go-nvml chooses from.
var needed = [][]string{
	{"nvmlInit_v2", "nvmlInit"},
	{"nvmlShutdown"},
	{"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"},
	{"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"},
	{"nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2", "nvmlDeviceGetPciInfo"},
}

// GPUs asks for all GPUs. A question that a GPU does not answer has no answer
// in the result; a GPU that does not say where it is, is left out.
func (l library) GPUs() ([]GPU, error) {
	has, err := l.load()
	if err != nil {
		return nil, err
	}
	for _, versions := range needed {
		if !slices.ContainsFunc(versions, has) {
			return nil, fmt.Errorf("%w: %s", ErrSymbol, versions[0])
		}
	}
	if ret := l.Init(); ret != nvml.SUCCESS {
		return nil, failed("nvmlInit", ret)
	}
	defer l.Shutdown()
	count, ret := l.DeviceGetCount()
	if ret != nvml.SUCCESS {
		return nil, failed("nvmlDeviceGetCount", ret)
	}
	driver := ""
	if has("nvmlSystemGetDriverVersion") {
		driver, _ = l.SystemGetDriverVersion()
	}
	var all []GPU
	for i := range min(count, 1024) {
		d, ret := l.DeviceGetHandleByIndex(i)
		if ret != nvml.SUCCESS {
			continue // lost, or not this user's
		}
		if g, ok := describe(d, has); ok {
			g.Driver = driver
			all = append(all, g)
		}
	}
	return all, nil
}

func describe(d nvml.Device, has func(string) bool) (g GPU, ok bool) {
	pci, ret := d.GetPciInfo()
	if ret != nvml.SUCCESS {
		return g, false
	}
	var id strings.Builder
	for _, c := range pci.BusId {
		if c == 0 {
			break
		}
		id.WriteByte(byte(c))
	}
	if g.Address, ok = address(id.String()); !ok {
		return g, false
	}
	for _, ask := range []struct {
		symbol string
		get    func() (string, nvml.Return)
		to     *string
	}{
		{"nvmlDeviceGetName", d.GetName, &g.Product},
		{"nvmlDeviceGetUUID", d.GetUUID, &g.UUID},
		{"nvmlDeviceGetVbiosVersion", d.GetVbiosVersion, &g.VBIOS},
		{"nvmlDeviceGetGspFirmwareVersion", d.GetGspFirmwareVersion, &g.Firmware},
	} {
		if !has(ask.symbol) {
			continue
		}
		if text, ret := ask.get(); ret == nvml.SUCCESS {
			*ask.to = text
		}
	}
	if has("nvmlDeviceGetMemoryInfo") {
		if m, ret := d.GetMemoryInfo(); ret == nvml.SUCCESS {
			g.MemoryTotal, g.MemoryUsed = m.Total, m.Used
		}
	}
	return g, true
}

// failed names an error by its number: the words for it are a function of the
// library, too.
func failed(call string, ret nvml.Return) error {
	switch ret {
	case nvml.ERROR_DRIVER_NOT_LOADED:
		return fmt.Errorf("%s: NVIDIA's driver is not loaded", call)
	case nvml.ERROR_NO_PERMISSION:
		return fmt.Errorf("%s: not permitted", call)
	case nvml.ERROR_LIB_RM_VERSION_MISMATCH:
		return fmt.Errorf("%s: the library and the driver are of different versions; reboot after an update", call)
	}
	return fmt.Errorf("%s: NVML error %d", call, int(ret))
}
