package gem

import (
	"testing"

	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/prime/primetest"
)

// TestPoolForgets passes if a Pool does not remember for ever what its users
// close instead of putting it back.
func TestPoolForgets(t *testing.T) {
	p := NewPool(StoreOf(primetest.NewFake(t).NewCard("fake").Open()), PoolOptions{})
	for range 10 {
		o, err := p.Get(t.Context(), 32, 32, fourcc.XRGB8888)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(p.made) != 1 {
		t.Errorf("remembers %d buffers, want the last one", len(p.made))
	}
}
