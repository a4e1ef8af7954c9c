package prime

import (
	"fmt"
	"os"
	"runtime"

	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime/internal/uapi"
)

const udmabufListLimit = "/sys/module/udmabuf/parameters/list_limit"

// Memory is a part of a memory file: whole pages, from a whole page on.
type Memory struct {
	File         *os.File
	Offset, Size uint64
}

// NewUdmabufOf makes a Buffer of memory that exists, such as the pool that a
// client of a compositor draws into, one part after the other. The files may be
// closed then. Such a file must be sealed against shrinking and not against
// writing; whoever has it can still write to it, as always.
//
// Errors: ErrRange for parts that are not whole pages inside their files, and
// for more of them, or more bytes, than the module's parameters list_limit and
// size_limit_mb allow, before the kernel is asked; ErrSeals; EBADFD for what
// is no memory file; ErrNotSupported without /dev/udmabuf; ErrPermission;
// ErrClosed, ENOMEM, EMFILE. Source: udmabuf.c.
func NewUdmabufOf(parts ...Memory) (*Buffer, error) {
	op := uapi.OpUdmabufCreateList.Name()
	fail := func(err error) *Error {
		return &Error{Op: op, Object: fmt.Sprintf("of %d parts", len(parts)), Err: err}
	}
	if err := checkParts(parts); err != nil {
		e := fail(ErrRange)
		e.Hint = err.Error()
		return nil, e
	}
	n, err := openDevice(udmabufPath)
	if err != nil {
		return nil, deviceError(udmabufPath, err)
	}
	dev := ioctl.NewFD(n)
	defer dev.Close()
	arg := uapi.UdmabufList{Head: uapi.UdmabufCreateList{Flags: uapi.UdmabufFlagsCloexec, Count: uint32(len(parts))}}
	// The duplicates are what keeps the numbers those of the files.
	for i, p := range parts {
		fd, err := dupFile(p.File)
		if err != nil {
			return nil, err
		}
		defer fd.Close()
		err = fd.Use(func(n int) error {
			arg.List[i] = uapi.UdmabufCreateItem{MemFD: uint32(n), Offset: p.Offset, Size: p.Size}
			return checkMemory(n, p.Offset+p.Size)
		})
		if err != nil {
			e := fail(err)
			e.Hint = fmt.Sprintf("part %d", i)
			return nil, e
		}
	}
	buf, err := uapi.OpUdmabufCreateList.Call(dev, &arg.Head)
	runtime.KeepAlive(&arg)
	if err != nil {
		return nil, fail(err)
	}
	return New(ioctl.NewFD(buf))
}

// checkParts says what the kernel would answer just EINVAL for.
func checkParts(parts []Memory) error {
	page := uint64(os.Getpagesize())
	limit := uint64(len(uapi.UdmabufList{}.List))
	if n, ok := readParameter(udmabufListLimit); ok {
		limit = min(limit, n)
	}
	if uint64(len(parts)) > limit {
		return fmt.Errorf("the limit is %d parts: see %s", limit, udmabufListLimit)
	}
	var total uint64
	for i, p := range parts {
		if p.Size == 0 || p.Offset%page != 0 || p.Size%page != 0 || p.Offset+p.Size < p.Size || total+p.Size < total {
			return fmt.Errorf("part %d is not whole pages: %d bytes at %d", i, p.Size, p.Offset)
		}
		total += p.Size
	}
	if total == 0 {
		return fmt.Errorf("there are no parts")
	}
	if mib, ok := readParameter(udmabufLimit); ok && total > mib<<20 {
		return fmt.Errorf("%d bytes, the limit is %d: see %s", total, mib<<20, udmabufLimit)
	}
	return nil
}
