package edid_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/drm/edid"
	"github.com/google/go-cmp/cmp"
)

// oracle is Debian's edid-decode; tests against it are skipped without it.
func oracle(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("edid-decode")
	if err != nil {
		t.Skip("NOT COMPARED with edid-decode: it is not installed (apt-get install edid-decode)")
	}
	return path
}

func run(t testing.TB, in []byte, args ...string) string {
	t.Helper()
	c := exec.Command(oracle(t), args...)
	c.Stdin = bytes.NewReader(in)
	out, err := c.CombinedOutput()
	if _, failed := err.(*exec.ExitError); err != nil && !failed {
		t.Fatal(err)
	}
	return string(out)
}

// What edid-decode prints, and how a printer writes it.
var (
	oracleMode    = regexp.MustCompile(`^(\S.*?) *: +(\d+x\d+i?) +([0-9.]+) Hz +\d+:\d+ +[0-9.]+ kHz +([0-9.]+) MHz(.*)$`)
	oracleFRL     = regexp.MustCompile(`^Max Fixed Rate Link: (.*)`)
	oracleLatency = regexp.MustCompile(`^(\w+) latency: (\d+) ms$`)
	oracleSpace   = regexp.MustCompile(`\s+`)
	decimals      = regexp.MustCompile(`\d+\.\d{4,}`)
	luminance     = regexp.MustCompile(`^(Desired content [^:]*:) \d+ (.*)`)
	product       = regexp.MustCompile(`^Product Identification Data Block \(0x\d\d\), (?:OUI |PNP ID )'?([^':]*)`)
)

// notDecoded begins what edid-decode says and this package does not, and
// headings. A line that is neither here nor expected fails the test.
var notDecoded = regexp.MustCompile(`^(Block \d|Vendor & |Basic Display|Color Char|Established |Standard Tim|Detailed Tim|-----|Extension |` +
	`Digital interface is not|First detailed timing does not|Undefined disp|Monochrome|Non-RGB|RGB color disp|Dummy|Display Range L|Color Point|CVT 3|` +
	`Video Data Bl|Audio Data B|Speaker Alloc|Vendor-Specific|Video Capab|Colorimetry D|HDR Static|YCbCr 4:2:0|Electro|Supported static|Extended HDMI|HDMI VICs:|` +
	`Display Product (Type|Primary)|Video Timing Modes|Tiled Display Topology|Capabilities:|Behavior|Top bevel|Bottom b|Right b|Left b|Tile bezel|` +
	`SVD Index|Empty Capability Map|.*Even Field$|LFE|RLC|BL/BR|BC |TpC|TpFL|RL/RR|RC |FLH|LSd|LS/RS|.*DSC|Checksum: 0x..$|Supports (Fast Transport|media)|.*no 3D stereo$|` +
	`Display x,y|Display native|Number of)`)

func normalize(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.Contains(line, "'") {
			line = oracleSpace.ReplaceAllString(line, " ")
		}
		line = strings.TrimSuffix(line, " Vfront +0.5 Odd Field")
		if m := oracleMode.FindStringSubmatch(line); m != nil {
			line = oracleTiming(m)
		} else if line == "" || notDecoded.MatchString(line) {
			continue
		} else if m := oracleFRL.FindStringSubmatch(line); m != nil {
			line = fmt.Sprintf("Max Fixed Rate Link: %d", frl(m[1]))
		} else if m := oracleLatency.FindStringSubmatch(line); m != nil {
			// The edid-decode of Debian 12 says 1+2n for the byte n, where HDMI
			// and the kernel say 2(n-1).
			ms, _ := strconv.Atoi(m[2])
			line = fmt.Sprintf("%s latency: %d ms", m[1], ms-ms%2*3)
		} else if m := luminance.FindStringSubmatch(line); m != nil {
			line = m[1] + " " + m[2]
		} else if m := product.FindStringSubmatch(line); m != nil {
			line = "Product Identification: " + m[1]
		} else if strings.Contains(line, "White:") || strings.HasPrefix(line, "Red") || strings.HasPrefix(line, "Green") || strings.HasPrefix(line, "Blue") {
			line = strings.Replace(line, " :", ":", 1)
		}
		lines = append(lines, line)
	}
	return lines
}

func oracleTiming(m []string) string {
	kind, rest := m[1], m[5]
	hz, _ := strconv.ParseFloat(m[3], 64)
	mhz, _ := strconv.ParseFloat(m[4], 64)
	switch {
	case kind == "GTF":
		return fmt.Sprintf("GTF: %s %.0f Hz", m[2], math.Round(hz))
	case kind == "CVT":
		rate := slices.MinFunc([]float64{50, 60, 75, 85}, func(a, b float64) int { return int(100 * (math.Abs(a-hz) - math.Abs(b-hz))) })
		short := ""
		if strings.Contains(rest, "RB") {
			short = " (RB)"
		}
		return fmt.Sprintf("CVT: %s %.0f Hz%s", m[2], rate, short)
	case strings.HasPrefix(kind, "DTD"):
		kind = "DTD"
		if strings.Contains(rest, "aspect") {
			if rest = ""; strings.Contains(m[5], "preferred") {
				rest = " preferred"
			}
		}
	case strings.Contains(rest, "native"):
		rest = " (native)"
	default:
		rest = ""
	}
	return fmt.Sprintf("%s: %s %.3f Hz %.3f MHz%s", kind, m[2], hz, mhz, rest)
}

// frl is the rate's number, of HDMI 2.1's table.
func frl(text string) int {
	best := 0
	for i, s := range []string{"3 Gbps", "3 and 6 Gbps", " 6 Gbps on 4", "8 Gbps on 4", "10 Gbps on 4", "12 Gbps on 4"} {
		if strings.Contains(text, s) {
			best = i + 1
		}
	}
	return best
}

// compare passes if edid-decode and this package say the same of an EDID.
func compare(t *testing.T, raw []byte) {
	t.Helper()
	got := lines(parse(t, raw))
	want := normalize(run(t, raw, "--skip-hex-dump", "--skip-sha"))
	// Where a line stands is not compared: edid-decode goes by the bytes.
	round(want)
	round(got)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-edid-decode +gemtool, of\n%x\n%s", raw, diff)
	}
}

// round cuts decimals down to what both print.
func round(lines []string) {
	for i, line := range lines {
		if strings.Contains(line, "'") {
			continue
		}
		lines[i] = decimals.ReplaceAllStringFunc(line, func(s string) string { return s[:strings.IndexByte(s, '.')+4] })
	}
}

// TestOracle passes if random EDIDs mean the same to edid-decode.
func TestOracle(t *testing.T) {
	oracle(t)
	n := 300
	if testing.Short() {
		n = 30
	}
	for i := range n {
		raw := build(rand.New(rand.NewPCG(uint64(i), 0)))
		compare(t, raw)
	}
}

// TestOracleChecksum passes if both find the same wrong checksums.
func TestOracleChecksum(t *testing.T) {
	oracle(t)
	r := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		raw := build(r)
		raw[r.IntN(len(raw)/128)*128+127] += byte(between(r, 1, 255))
		compare(t, raw)
	}
}

// TestOracleCorpus passes if the EDIDs in testdata mean the same to both.
func TestOracleCorpus(t *testing.T) {
	oracle(t)
	for name, raw := range corpus(t) {
		t.Run(name, func(t *testing.T) { compare(t, raw) })
	}
}

// corpus returns what the files of testdata hold, in hexadecimal.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/*.hex")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	all := make(map[string][]byte)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var raw []byte
		if _, err := fmt.Sscanf(strings.Join(strings.Fields(string(text)), ""), "%x", &raw); err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = raw
	}
	return all
}

// TestTables passes if the tables of timings are edid-decode's.
func TestTables(t *testing.T) {
	for _, list := range []struct {
		option, kind string
		timing       func(uint8) (edid.Timing, bool)
	}{
		{"--list-vics", "VIC %d", edid.VICTiming},
		{"--list-dmts", "DMT 0x%02x", edid.DMTTiming},
		{"--list-hdmi-vics", "HDMI VIC %d", edid.HDMITiming},
	} {
		var got []string
		for i := range 256 {
			if timing, ok := list.timing(uint8(i)); ok {
				got = append(got, mode(fmt.Sprintf(list.kind, i), timing))
			}
		}
		want := normalize(run(t, nil, list.option))
		want = slices.DeleteFunc(want, func(line string) bool { return !strings.Contains(line, "MHz") })
		round(got)
		round(want)
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
			t.Errorf("%s: -edid-decode +gemtool\n%s", list.option, diff)
		}
	}
}
