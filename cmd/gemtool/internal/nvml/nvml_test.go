package nvml

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"time"
)

func TestAddress(t *testing.T) {
	for id, want := range map[string]string{
		"00000000:01:00.0": "0000:01:00.0", "0000:C1:00.1": "0000:c1:00.1", "00010000:0A:00.0": "10000:0a:00.0",
		"00000A00:01:00.0": "0a00:01:00.0",
		"":                 "", "01:00.0": "", "00000000:01:00.0\x1b[31m": "", "000000000:01:00.0": "", "00000000:01:00.8": "",
	} {
		if got, ok := address(id); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", id, got, ok, want)
		}
	}
}

// FuzzAddress passes if what comes out is an address, or nothing. Case N34.
func FuzzAddress(f *testing.F) {
	f.Add("00000000:01:00.0")
	f.Add("000000FF:E1:00.0")
	kernel := regexp.MustCompile(`^([1-9a-f][0-9a-f]{4,7}|[0-9a-f]{4}):[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\z`)
	f.Fuzz(func(t *testing.T, s string) {
		if got, ok := address(s); ok != kernel.MatchString(got) || !ok && got != "" {
			t.Errorf("%q: got %q, %v", s, got, ok)
		}
	})
}

// slow is a library that hangs.
type slow time.Duration

func (s slow) GPUs() ([]GPU, error) {
	time.Sleep(time.Duration(s))
	return []GPU{{UUID: "late"}}, nil
}

// TestAsk passes if a library that hangs holds nobody up, and one that is slow
// is heard.
func TestAsk(t *testing.T) {
	start := time.Now()
	_, err := Ask(t.Context(), slow(2*time.Second), 50*time.Millisecond)
	if !errors.Is(err, ErrTimeout) || time.Since(start) > time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	if gpus, err := Ask(t.Context(), slow(0), 10*time.Second); err != nil || len(gpus) != 1 {
		t.Errorf("got %v, %v", gpus, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Ask(ctx, slow(2*time.Second), 10*time.Second); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
