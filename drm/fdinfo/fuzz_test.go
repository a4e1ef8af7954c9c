package fdinfo_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/drm/fdinfo"
)

// FuzzParse passes if there is an error or a value, and at most one of a client
// and a buffer. Each parser of the kernel's text has such a test beside it.
//
// Case N34
func FuzzParse(f *testing.F) {
	f.Add([]byte(head + "size:\t4096\ncount:\t3\nexp_name:\tdrm\nname:\tx\nsize:\t1\n"))
	f.Add([]byte(head + "drm-driver:\txe\ndrm-client-id:\t1\ndrm-total-vram0:\t12 MiB\ndrm-cycles-rcs:\t28257900\ndrm-total-cycles-rcs:\t7655183225\n"))
	f.Add([]byte("drm-driver:\tx\ndrm-engine-a:\t1 ns\ndrm-engine-capacity-a:\t2\ndrm-maxfreq-a:\t3 MHz\ndrm-memory-b:\t4 KiB\nx-y: z\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := fdinfo.Parse(text)
		if err != nil && !reflect.ValueOf(got).IsZero() {
			t.Errorf("%+v and %v", got, err)
		}
		if got.Client != nil && (got.Buffer != nil || got.Client.Driver == "") {
			t.Errorf("%+v", got)
		}
	})
}

// FuzzBufferName passes if a name changes nothing but itself.
func FuzzBufferName(f *testing.F) {
	f.Add("x\nsize:\t1")
	f.Fuzz(func(t *testing.T, name string) {
		if len(name) > 31 || strings.Contains(name, "\x00") {
			return // the kernel takes no such name
		}
		check(t, head+"size:\t4096\ncount:\t3\nexp_name:\tdrm\nname:\t"+name+"\n",
			info(nil, &fdinfo.Buffer{Size: 4096, Count: 3, Exporter: "drm", Name: name}))
	})
}
