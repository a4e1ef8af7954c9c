package kunit

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const recorded = `KTAP version 1
1..1
    KTAP version 1
    # Subtest: suite
    # module: tests
    1..4
    ok 1 first
        KTAP version 1
        # Subtest: second
        ok 1 parameter
        not ok 2 parameter
    # second: pass:1 fail:1 skip:0 total:2
    not ok 2 second
    ok 3 third # SKIP not here
    ok 4 fourth
# suite: pass:2 fail:1 skip:1 total:4
not ok 1 suite
`

func TestParse(t *testing.T) {
	got, err := parse(recorded, "suite")
	want := result{[]string{"first", "fourth"}, []string{"second"}, []string{"third"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for name, text := range map[string]string{
		"empty":       "",
		"cut off":     recorded[:strings.Index(recorded, "    ok 4")],
		"one missing": strings.Replace(recorded, "    ok 4 fourth\n", "", 1),
	} {
		if _, err := parse(text, "suite"); !errors.Is(err, errNoKTAP) {
			t.Errorf("%s: got %v, want %v", name, err, errNoKTAP)
		}
	}
}
