package command

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestPageHang passes if wrapping, at any width and indent, loses no word, ends,
// and makes no line wider than the page that has more than one word.
func TestPageHang(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-zé日]{1,12}`), 1, 30).Draw(t, "words")
		p := &page{width: rapid.IntRange(1, 40).Draw(t, "width")}
		indent := rapid.IntRange(0, 12).Draw(t, "indent")
		p.hang(indent, "%s", strings.Join(words, " "))
		if got := strings.Fields(p.String()); !slices.Equal(got, words) {
			t.Fatalf("got %q, want %q", got, words)
		}
		for i, line := range strings.Split(strings.TrimSuffix(p.String(), "\n"), "\n") {
			if i > 0 && !strings.HasPrefix(line, strings.Repeat(" ", min(indent, p.width/2))) {
				t.Errorf("line %d is not indented: %q", i, line)
			}
			if utf8.RuneCountInString(line) > p.width && len(strings.Fields(line)) > 1 {
				t.Errorf("line %d has %q on a page of %d", i, line, p.width)
			}
		}
	})
}
