package ioctl

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/gemtool/gemtool/drm/internal/hook"
)

// The request number as <asm-generic/ioctl.h> packs it: direction, size of
// the argument, type byte, number. All architectures that this module
// supports use this packing.
const (
	dirNone  = 0
	dirWrite = 1 // the kernel reads the argument: _IOW
	dirRead  = 2 // the kernel writes the argument: _IOR

	shiftType = 8
	shiftSize = 16
	shiftDir  = 30

	maxSize = 1<<14 - 1 // what fits between shiftSize and shiftDir
)

// Op is one ioctl whose argument is a T. The size in its number is that of
// T, so T must be laid out as C lays it out.
type Op[T any] struct {
	name    string
	request uint32
}

// None declares an ioctl without an argument, C's _IO.
func None(name string, typ, nr uint8) Op[struct{}] { return newOp[struct{}](name, dirNone, typ, nr) }

// Read declares an ioctl whose argument the kernel writes, C's _IOR.
func Read[T any](name string, typ, nr uint8) Op[T] { return newOp[T](name, dirRead, typ, nr) }

// Write declares an ioctl whose argument the kernel reads, C's _IOW.
func Write[T any](name string, typ, nr uint8) Op[T] { return newOp[T](name, dirWrite, typ, nr) }

// ReadWrite declares an ioctl whose argument goes both ways, C's _IOWR.
func ReadWrite[T any](name string, typ, nr uint8) Op[T] {
	return newOp[T](name, dirRead|dirWrite, typ, nr)
}

func newOp[T any](name string, dir uint32, typ, nr uint8) Op[T] {
	var arg T
	size := unsafe.Sizeof(arg)
	if size > maxSize {
		panic(fmt.Sprintf("ioctl: argument of %s has %d bytes, more than a request number can say", name, size))
	}
	return Op[T]{
		name:    name,
		request: dir<<shiftDir | uint32(size)<<shiftSize | uint32(typ)<<shiftType | uint32(nr),
	}
}

// Name returns the name of the ioctl as the C header has it, without the
// subsystem's prefix.
func (op Op[T]) Name() string { return op.name }

// Request returns the number that the kernel sees.
func (op Op[T]) Request() uint32 { return op.request }

// Do issues the ioctl. It returns nil, [ErrClosed], [ErrNotSupported] where
// the system has no such ioctls, or the kernel's errno unwrapped. It may be
// called concurrently; Close of fd waits for no call, but the number stays
// taken until the last call has returned.
//
// What u64 fields of arg point to must be pinned: see [Addr].
func (op Op[T]) Do(fd *FD, arg *T) error {
	_, err := op.Call(fd, arg)
	return err
}

// Call is Do for the few ioctls that answer with a number of their own, such
// as a new descriptor.
func (op Op[T]) Call(fd *FD, arg *T) (result int, err error) {
	n, err := fd.acquire()
	if err != nil {
		return 0, err
	}
	defer fd.release()
	for {
		errno, done := op.intercept(n, arg)
		if !done {
			result, errno = issue(n, op.request, unsafe.Pointer(arg))
		}
		switch errno {
		case 0:
			return result, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			// Somebody else has to move first.
			runtime.Gosched()
		case errnoNotSupported:
			return 0, ErrNotSupported
		default:
			return 0, errno
		}
	}
}

// intercept asks drmtest's hook, if there is one. The hook gets a copy of the
// argument, as the escape of arg to it would make every call allocate.
func (op Op[T]) intercept(n int, arg *T) (errno syscall.Errno, done bool) {
	h := hook.Ioctl.Load()
	if h == nil {
		return 0, false
	}
	clone := new(T)
	*clone = *arg
	errno, done = (*h)(n, op.request, unsafe.Pointer(clone))
	*arg = *clone
	return errno, done
}

// Addr pins the array behind s until pin.Unpin and returns its address for a
// u64 field of an argument: the garbage collector does not see such fields.
// It returns 0 for an empty s.
func Addr[E any](pin *runtime.Pinner, s []E) uint64 {
	if len(s) == 0 {
		return 0
	}
	p := unsafe.SliceData(s)
	pin.Pin(p)
	return uint64(uintptr(unsafe.Pointer(p)))
}
