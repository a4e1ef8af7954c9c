package uapi

import "unsafe"

// Nothing here may run the tests of arm, but they are compiled: an index
// other than 0 does not compile.
var (
	_ = [1]int{}[unsafe.Offsetof(ModeFBCmd2{}.Modifier)-72]
	_ = [1]int{}[unsafe.Sizeof(ModeFBCmd2{})-104]
	_ = [1]int{}[unsafe.Sizeof(ModeGetPlaneRes{})-16]
	_ = [1]int{}[unsafe.Sizeof(ModeObjGetProperties{})-32]
	_ = [1]int{}[unsafe.Sizeof(Version{})-36]
)
