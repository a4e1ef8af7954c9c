package devinfo

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/kms"
)

// Blob is a property's blob, and what it means if that is known by the
// property's name.
type Blob struct {
	Size    int             `json:"size"`
	Data    []byte          `json:"data"` // in base64
	EDID    *EDID           `json:"edid,omitempty"`
	Mode    *Mode           `json:"mode,omitempty"`
	Formats []Formats       `json:"formats,omitempty"`       // of IN_FORMATS
	Pixels  []fourcc.Format `json:"pixel_formats,omitempty"` // of WRITEBACK_PIXEL_FORMATS
	Text    string          `json:"text,omitempty"`          // of PATH
	Tile    *Tile           `json:"tile,omitempty"`
	HDR     *HDR            `json:"hdr,omitempty"`
	Sizes   []Size          `json:"sizes,omitempty"` // of SIZE_HINTS
	Error   string          `json:"error,omitempty"` // why it could not be decoded
}

// Formats are the formats that a plane takes with a modifier.
type Formats struct {
	Modifier fourcc.Modifier `json:"modifier"`
	Formats  []fourcc.Format `json:"formats"`
}

// Tile is where in a display of several this one is.
type Tile struct {
	Group   int  `json:"group"`
	Single  bool `json:"single_monitor"` // all tiles are in one enclosure
	Columns int  `json:"columns"`
	Rows    int  `json:"rows"`
	Column  int  `json:"column"`
	Row     int  `json:"row"`
	Width   int  `json:"width"`
	Height  int  `json:"height"`
}

// Size is in pixels.
type Size struct {
	Width  uint16 `json:"width"`
	Height uint16 `json:"height"`
}

func readBlob(d *drm.Device, id kms.BlobID, property string) (*Blob, error) {
	if id == 0 {
		return nil, nil
	}
	data, err := kms.ReadBlob(d, id)
	if err != nil {
		return nil, err
	}
	return newBlob(data, property), nil
}

func newBlob(data []byte, property string) *Blob {
	b := &Blob{Size: len(data), Data: data}
	if err := b.decode(property); err != nil {
		b.Error = err.Error()
	}
	return b
}

// decode is for the properties of drm_mode_config.c and its like whose blobs
// have one layout for all drivers.
func (b *Blob) decode(property string) (err error) {
	switch property {
	case "EDID":
		b.EDID, err = newEDID(b.Data)
	case "MODE_ID":
		m, e := kms.ParseMode(b.Data)
		if e != nil {
			return e
		}
		mode := newMode(m)
		b.Mode = &mode
	case "IN_FORMATS", "IN_FORMATS_ASYNC":
		b.Formats, err = inFormats(b.Data)
	case "WRITEBACK_PIXEL_FORMATS":
		if len(b.Data)%4 != 0 {
			return fmt.Errorf("formats in %d bytes", len(b.Data))
		}
		for data := b.Data; len(data) > 0; data = data[4:] {
			b.Pixels = append(b.Pixels, fourcc.Format(binary.NativeEndian.Uint32(data)))
		}
	case "PATH":
		b.Text = strings.TrimSuffix(string(b.Data), "\x00")
	case "TILE":
		b.Tile, err = newTile(b.Data)
	case "HDR_OUTPUT_METADATA":
		b.HDR, err = newHDR(b.Data)
	case "SIZE_HINTS":
		if len(b.Data)%4 != 0 {
			return fmt.Errorf("sizes in %d bytes", len(b.Data))
		}
		for data := b.Data; len(data) > 0; data = data[4:] {
			b.Sizes = append(b.Sizes, Size{binary.NativeEndian.Uint16(data), binary.NativeEndian.Uint16(data[2:])})
		}
	}
	return err
}

// inFormats groups the pairs of formats and modifiers, in the driver's order.
func inFormats(data []byte) ([]Formats, error) {
	pairs, err := kms.ParseInFormats(data)
	if err != nil {
		return nil, err
	}
	var out []Formats
	at := map[fourcc.Modifier]int{}
	for _, p := range pairs {
		i, ok := at[p.Modifier]
		if !ok {
			i = len(out)
			at[p.Modifier] = i
			out = append(out, Formats{Modifier: p.Modifier})
		}
		out[i].Formats = append(out[i].Formats, p.Format)
	}
	return out, nil
}

// newTile parses the text of drm_connector_set_tile_property.
func newTile(data []byte) (*Tile, error) {
	var t Tile
	var single int
	text := strings.TrimSuffix(string(data), "\x00")
	if _, err := fmt.Sscanf(text, "%d:%d:%d:%d:%d:%d:%d:%d", &t.Group, &single, &t.Columns, &t.Rows, &t.Column, &t.Row, &t.Width, &t.Height); err != nil {
		return nil, fmt.Errorf("tile %q: %w", text, err)
	}
	t.Single = single != 0
	return &t, nil
}
