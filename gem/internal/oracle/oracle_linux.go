package oracle

import (
	"errors"
	"fmt"
	"io/fs"
	"structs"
	"syscall"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/ioctl"
	"golang.org/x/sys/unix"
)

// path is the module's device.
const path = "/dev/gemtool-oracle"

// call is struct oracle_call of gemtool_oracle.c.
type call struct {
	_      structs.HostLayout
	FD     int32
	Handle uint32
	Op     uint32
	Arg    int32

	Result   int32
	PagesUse uint32
	PagesPin uint32
	VMapUse  uint32
	Madv     int32
	Flags    uint32
}

var opCall = ioctl.ReadWrite[call]("ORACLE_CALL", 'G', 1)

// What call.Op says, and the bits of call.Flags.
const (
	opState = iota
	opPin
	opUnpin
	opVMap
	opVUnmap
	opMadvise
	opIsPurgeable
	opPurge
	opGetPagesSGT
)

const (
	hasPages = 1 << iota
	hasSGT
	hasVAddr
	hasDMABuf
	isImported
	countsPins
)

var opNames = [...]string{"state", "pin", "unpin", "vmap", "vunmap", "madvise", "is_purgeable", "purge", "get_pages_sgt"}

// What the module refuses, without asking the kernel's function: it would warn,
// or damage the object.
var (
	ErrUnderflow    = errors.New("oracle: nothing left to undo")
	ErrOverflow     = errors.New("oracle: too many of them")
	ErrImported     = errors.New("oracle: object is imported")
	ErrNotPurgeable = errors.New("oracle: object is not purgeable")
	ErrNotShmem     = errors.New("oracle: object is not of the shmem helper")
)

var refusals = map[error]error{
	syscall.ERANGE:     ErrUnderflow,
	syscall.EOVERFLOW:  ErrOverflow,
	syscall.EXDEV:      ErrImported,
	syscall.EBUSY:      ErrNotPurgeable,
	syscall.EOPNOTSUPP: ErrNotShmem,
}

// Oracle is an open file of the module. What its objects have pinned and
// mapped ends with it.
type Oracle struct{ fd *ioctl.FD }

// Open opens the module's device; fs.ErrNotExist says that it is not loaded.
func Open() (*Oracle, error) {
	n, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return &Oracle{ioctl.NewFD(n)}, nil
}

// Close undoes what is still pinned or mapped.
func (o *Oracle) Close() error { return o.fd.Close() }

// Object names an object of the kernel's.
type Object struct {
	oracle *Oracle
	dev    *drm.Device
	handle drm.Handle
}

// Object returns the object that dev knows as h.
func (o *Oracle) Object(dev *drm.Device, h drm.Handle) Object { return Object{o, dev, h} }

// State is struct drm_gem_shmem_object at one moment.
type State struct {
	PagesUse, PagesPin, VMapUse uint32
	Madv                        int32

	Pages, SGT, VAddr bool // are not NULL
	DMABuf, Imported  bool
	CountsPins        bool // PagesPin is the kernel's: it has none before 6.16
}

// State reads the object's counters.
func (x Object) State() (State, error) {
	c, err := x.call(opState, 0)
	has := func(flag uint32) bool { return c.Flags&flag != 0 }
	return State{
		PagesUse: c.PagesUse, PagesPin: c.PagesPin, VMapUse: c.VMapUse, Madv: c.Madv,
		Pages: has(hasPages), SGT: has(hasSGT), VAddr: has(hasVAddr),
		DMABuf: has(hasDMABuf), Imported: has(isImported), CountsPins: has(countsPins),
	}, err
}

// Pin calls drm_gem_shmem_pin. ErrImported for an import.
func (x Object) Pin() error { return x.do(opPin) }

// Unpin calls drm_gem_shmem_unpin. ErrUnderflow without a Pin of this Oracle.
func (x Object) Unpin() error { return x.do(opUnpin) }

// VMap calls drm_gem_shmem_vmap.
func (x Object) VMap() error { return x.do(opVMap) }

// VUnmap calls drm_gem_shmem_vunmap. ErrUnderflow without a VMap of this Oracle.
func (x Object) VUnmap() error { return x.do(opVUnmap) }

// GetPagesSGT calls drm_gem_shmem_get_pages_sgt, whose table the object keeps.
func (x Object) GetPagesSGT() error { return x.do(opGetPagesSGT) }

// Purge calls drm_gem_shmem_purge. ErrNotPurgeable where that would warn.
func (x Object) Purge() error { return x.do(opPurge) }

// Madvise calls drm_gem_shmem_madvise.
func (x Object) Madvise(advice int32) (retained bool, err error) {
	c, err := x.call(opMadvise, advice)
	return c.Result != 0, err
}

// IsPurgeable calls drm_gem_shmem_is_purgeable.
func (x Object) IsPurgeable() (bool, error) {
	c, err := x.call(opIsPurgeable, 0)
	return c.Result != 0, err
}

func (x Object) do(op uint32) error {
	_, err := x.call(op, 0)
	return err
}

// call asks the module. A refusal is one of the errors above or, for a wrong
// descriptor or handle, an errno; so is what the kernel's function returned.
func (x Object) call(op uint32, arg int32) (call, error) {
	c := call{Handle: uint32(x.handle), Op: op, Arg: arg}
	err := x.dev.FD().Use(func(n int) error {
		c.FD = int32(n)
		return opCall.Do(x.oracle.fd, &c)
	})
	if refusal := refusals[err]; refusal != nil {
		err = refusal
	} else if err == nil && c.Result < 0 {
		err = syscall.Errno(-c.Result)
	}
	if err != nil {
		return call{}, fmt.Errorf("%s of %v: %w", opNames[op], x.handle, err)
	}
	return c, nil
}
