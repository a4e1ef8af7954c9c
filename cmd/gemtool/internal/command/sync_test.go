package command

import (
	"strings"
	"testing"
)

// TestSyncGolden passes if the document and its text are as they were, on both
// widths, with names that a peer chose.
func TestSyncGolden(t *testing.T) {
	at, age, none := int64(5e9), int64(1234567890), []fenceJSON{}
	active := fenceJSON{Driver: "vgem", Timeline: "unbound\x1b[31m", Status: "active"}
	doc := &syncJSON{Schema: "gemtool.sync/v1", PID: 42, Files: []fencedJSON{
		{FD: 5, Kind: "dma-buf", Exporter: "drm", Name: "frame\n7", Inode: 17, Size: 8294400, ToRead: &waitJSON{true, none}, ToWrite: &waitJSON{true, none}},
		{FD: 6, Kind: "dma-buf", Exporter: "drm", Inode: 18, Size: 4096, ToRead: &waitJSON{false, []fenceJSON{active}}, ToWrite: &waitJSON{false, []fenceJSON{active, {Driver: "vkms", Timeline: "writeback", Status: "active"}}}},
		{FD: 7, Kind: "dma-buf", Exporter: "udmabuf", Inode: 19, Size: 4096, ToRead: &waitJSON{true, nil}, ToWrite: &waitJSON{false, nil}, Error: "prime: DMA_BUF_IOCTL_EXPORT_SYNC_FILE dma-buf 19: inappropriate ioctl for device"},
		{FD: 8, Kind: "sync_file", Name: "gemtool", All: &waitJSON{true, []fenceJSON{
			{Driver: "vgem", Timeline: "unbound", Status: "signaled", Signaled: &at, Age: &age},
			{Driver: "sw_sync", Timeline: "a", Status: "failed", Errno: "ETIMEDOUT", Signaled: &at, Age: &age},
		}}},
		{FD: 9, Kind: "sync_file", All: &waitJSON{false, []fenceJSON{active}}},
	}}
	for name, width := range map[string]int{"sync-80.txt": 80, "sync-200.txt": 200} {
		p := &page{width: width}
		doc.text(p)
		golden(t, name, p.String())
		for line := range strings.Lines(p.String()) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > width {
				t.Errorf("a line of %d columns on a page of %d: %s", n, width, line)
			}
		}
	}
	goldenJSON(t, "sync.json", doc)
}
