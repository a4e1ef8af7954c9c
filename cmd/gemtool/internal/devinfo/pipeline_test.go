package devinfo

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gemtool/gemtool/drm/kms"
)

// TestReadOps passes if a chain is followed to its end, one that leads back into
// itself is an error, and so is an operation that is gone.
func TestReadOps(t *testing.T) {
	gone := errors.New("gone")
	chains := map[kms.ColorOpID]kms.ColorOpID{1: 2, 2: 3, 3: 0, 10: 11, 11: 10, 20: 20, 30: 31}
	read := func(id kms.ColorOpID) ([]Property, error) {
		next, ok := chains[id]
		if !ok {
			return nil, gone
		}
		return []Property{{Name: "TYPE", Value: uint64(id), Names: []string{"LUT"}}, {Name: "NEXT", Value: uint64(next)}}, nil
	}
	ops, err := readOps(1, read)
	var ids []uint32
	for _, op := range ops {
		if op.Type != "LUT" || len(op.Properties) != 2 {
			t.Errorf("got %+v", op)
		}
		ids = append(ids, op.ID)
	}
	if diff := cmp.Diff([]uint32{1, 2, 3}, ids); err != nil || diff != "" {
		t.Errorf("%v, want -, got +:\n%s", err, diff)
	}
	for first, want := range map[kms.ColorOpID]string{10: "color operation 10 comes twice in a pipeline", 20: "color operation 20 comes twice in a pipeline", 30: "gone"} {
		if ops, err := readOps(first, read); err == nil || err.Error() != want || ops != nil {
			t.Errorf("from %d: got %v, %v", first, ops, err)
		}
	}
}
