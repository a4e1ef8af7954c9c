package devinfo

import (
	"encoding/binary"
	"fmt"
)

// HDR is struct hdr_output_metadata: what a client says of its picture.
type HDR struct {
	Type            uint32   `json:"type"`
	EOTF            Number   `json:"eotf"`
	Metadata        uint8    `json:"metadata_type"`
	Primaries       [3]Point `json:"primaries"`
	White           Point    `json:"white"`
	MaxLuminance    uint16   `json:"max_luminance"`     // cd/m²
	MinLuminance    float64  `json:"min_luminance"`     // cd/m²
	MaxContent      uint16   `json:"max_content"`       // cd/m², of any pixel
	MaxFrameAverage uint16   `json:"max_frame_average"` // cd/m², of any frame
}

// Point is a colour as CIE 1931 has it.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

func newHDR(data []byte) (*HDR, error) {
	var raw struct {
		Type           uint32
		EOTF, Metadata uint8
		Points         [8]uint16 // 1/50000
		Max            uint16
		Min            uint16 // 1/10000
		Content, Frame uint16
	}
	if _, err := binary.Decode(data, binary.NativeEndian, &raw); err != nil {
		return nil, fmt.Errorf("HDR metadata of %d bytes", len(data))
	}
	point := func(i int) Point { return Point{float64(raw.Points[2*i]) / 50000, float64(raw.Points[2*i+1]) / 50000} }
	return &HDR{
		Type: raw.Type, EOTF: number(uint32(raw.EOTF), []string{"SDR", "HDR gamma", "PQ", "HLG"}), Metadata: raw.Metadata,
		Primaries: [3]Point{point(0), point(1), point(2)}, White: point(3),
		MaxLuminance: raw.Max, MinLuminance: float64(raw.Min) / 10000, MaxContent: raw.Content, MaxFrameAverage: raw.Frame,
	}, nil
}
