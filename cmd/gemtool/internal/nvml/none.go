//go:build !cgo || !linux || nonvml

package nvml

// Built says whether the library can be asked.
const Built = false

// New returns a source that only says that it was not built in.
func New() Source { return none{} }

type none struct{}

func (none) GPUs() ([]GPU, error) { return nil, ErrNotBuilt }
