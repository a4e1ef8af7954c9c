package drmtest

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// fakeFile is an open node of a fake card.
type fakeFile struct {
	card    *FakeCard
	handles map[uint32]*fakeObject
}

// fakeObject is what a handle names: the memory, of this card or an import.
type fakeObject struct {
	memory   *fakeMemory
	imported bool
}

// syncArg is struct dma_buf_sync, which is package prime's.
type syncArg struct{ Flags uint64 }

var opSync = ioctl.Write[syncArg]("DMA_BUF_IOCTL_SYNC", 'b', 0)

var fakeNames = map[uint32]string{
	uapi.OpVersion.Request():         uapi.OpVersion.Name(),
	uapi.OpGetCap.Request():          uapi.OpGetCap.Name(),
	uapi.OpGEMClose.Request():        uapi.OpGEMClose.Name(),
	uapi.OpModeCreateDumb.Request():  uapi.OpModeCreateDumb.Name(),
	uapi.OpModeMapDumb.Request():     uapi.OpModeMapDumb.Name(),
	uapi.OpModeDestroyDumb.Request(): uapi.OpModeDestroyDumb.Name(),
	uapi.OpPrimeHandleToFD.Request(): uapi.OpPrimeHandleToFD.Name(),
	uapi.OpPrimeFDToHandle.Request(): uapi.OpPrimeFDToHandle.Name(),
	opSync.Request():                 opSync.Name(),
}

// ioctl is the handler of Intercept.
func (f *Fake) ioctl(c Call) (errno syscall.Errno, done bool) {
	id, ok := idOf(c.FD)
	if !ok {
		return 0, false
	}
	f.mu.Lock()
	file, memory := f.files[id], f.memories[id]
	f.mu.Unlock()
	if file == nil && memory == nil {
		return 0, false
	}
	name := fakeNames[c.Request]
	if errno := f.enter(name, c); errno != 0 {
		return errno, true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case memory != nil && c.Request == opSync.Request():
		return f.sync(Arg[syncArg](c).Flags), true
	case memory != nil || name == "" || name == opSync.Name():
		return f.refuse(syscall.ENOTTY, "ioctl %#x", c.Request), true
	case file.card.gone:
		return syscall.ENODEV, true
	}
	return file.answer(c), true
}

// answer is an ioctl of a node. The caller holds mu.
func (file *fakeFile) answer(c Call) syscall.Errno {
	f := file.card.f
	switch c.Request {
	case uapi.OpVersion.Request():
		arg := Arg[uapi.Version](c)
		if err := writeText(arg.Name, arg.NameLen, file.card.driver); err != nil {
			return syscall.EFAULT
		}
		arg.NameLen, arg.DateLen, arg.DescLen = uintptr(len(file.card.driver)), 0, 0
	case uapi.OpGetCap.Request():
		switch arg := Arg[uapi.GetCap](c); arg.Capability {
		case 0x1: // DRM_CAP_DUMB_BUFFER
			arg.Value = 1
		case 0x5: // DRM_CAP_PRIME
			arg.Value = 3
		default:
			return syscall.EINVAL
		}
	case uapi.OpModeCreateDumb.Request():
		arg := Arg[uapi.ModeCreateDumb](c)
		pitch := (uint64(arg.Width)*uint64(arg.BPP) + 7) / 8
		page := uint64(unix.Getpagesize())
		size := (pitch*uint64(arg.Height) + page - 1) / page * page
		if size == 0 || pitch > 1<<31 || size > 1<<31 {
			return syscall.EINVAL
		}
		arg.Pitch, arg.Size = uint32(pitch), size
		arg.Handle = file.newHandle(&fakeObject{memory: f.newMemoryLocked(int(size), file.card)})
	case uapi.OpModeMapDumb.Request():
		arg := Arg[uapi.ModeMapDumb](c)
		switch o := file.handles[arg.Handle]; {
		case o == nil:
			return f.refuse(syscall.ENOENT, "MODE_MAP_DUMB of handle %d", arg.Handle)
		case o.imported:
			return syscall.EINVAL // as shmem drivers answer: a question, no misuse
		default:
			arg.Offset = uint64(o.memory.offset)
		}
	case uapi.OpModeDestroyDumb.Request():
		return file.close(Arg[uapi.ModeDestroyDumb](c).Handle)
	case uapi.OpGEMClose.Request():
		return file.close(Arg[uapi.GEMClose](c).Handle)
	case uapi.OpPrimeHandleToFD.Request():
		return file.export(Arg[uapi.PrimeHandle](c))
	case uapi.OpPrimeFDToHandle.Request():
		return file.importFD(Arg[uapi.PrimeHandle](c))
	}
	return 0
}

// newHandle gives the lowest free number, as the kernel's idr does: a number
// that was closed comes back at once.
func (file *fakeFile) newHandle(o *fakeObject) uint32 {
	h := uint32(1)
	for file.handles[h] != nil {
		h++
	}
	file.handles[h] = o
	return h
}

func (file *fakeFile) close(h uint32) syscall.Errno {
	o := file.handles[h]
	if o == nil {
		return file.card.f.refuse(syscall.EINVAL, "close of handle %d", h)
	}
	delete(file.handles, h)
	o.memory.put(1)
	return 0
}

func (file *fakeFile) export(arg *uapi.PrimeHandle) syscall.Errno {
	if arg.Flags&^(unix.O_RDWR|unix.O_CLOEXEC) != 0 {
		return syscall.EINVAL
	}
	o := file.handles[arg.Handle]
	if o == nil {
		return file.card.f.refuse(syscall.ENOENT, "PRIME_HANDLE_TO_FD of handle %d", arg.Handle)
	}
	n, err := unix.FcntlInt(uintptr(o.memory.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return err.(syscall.Errno)
	}
	arg.FD = int32(n)
	return 0
}

func (file *fakeFile) importFD(arg *uapi.PrimeHandle) syscall.Errno {
	id, ok := idOf(int(arg.FD))
	if !ok {
		return syscall.EBADF
	}
	m := file.card.f.memories[id]
	if m == nil {
		return syscall.EINVAL // no dma-buf
	}
	for h, o := range file.handles {
		if o.memory == m {
			arg.Handle = h
			return 0
		}
	}
	if errno := m.get(int(arg.FD)); errno != 0 {
		return errno
	}
	arg.Handle = file.newHandle(&fakeObject{memory: m, imported: m.card != file.card})
	return 0
}

// sync is DMA_BUF_IOCTL_SYNC. The caller holds mu.
func (f *Fake) sync(flags uint64) syscall.Errno {
	const end, readWrite = 4, 3
	switch {
	case flags&^(end|readWrite) != 0 || flags&readWrite == 0:
		return f.refuse(syscall.EINVAL, "DMA_BUF_IOCTL_SYNC with flags %#x", flags)
	case flags&end == 0:
		f.windows++
	case f.windows == 0:
		return f.refuse(0, "DMA_BUF_IOCTL_SYNC: an END without its START")
	default:
		f.windows--
	}
	return 0
}

// writeText writes as much of a text as there is room for into memory that is
// known by its address alone, as the kernel does.
func writeText(addr, room uintptr, text string) error {
	b := []byte(text[:min(room, uintptr(len(text)))])
	if len(b) == 0 {
		return nil
	}
	local := []unix.Iovec{{Base: &b[0]}}
	local[0].SetLen(len(b))
	remote := []unix.RemoteIovec{{Base: addr, Len: len(b)}}
	_, err := unix.ProcessVMWritev(unix.Getpid(), local, remote, 0)
	return err
}
