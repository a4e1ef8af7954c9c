package edid

import "fmt"

// AudioFormat is a coding of sound.
type AudioFormat uint8

// The formats of CTA-861. Those above 15 are its extended ones, and 16 less.
const (
	LPCM           AudioFormat = 1
	AC3            AudioFormat = 2
	audioExtension             = 15
)

func (f AudioFormat) String() string {
	names := [...]string{
		1: "LPCM", "AC-3", "MPEG-1", "MP3", "MPEG-2", "AAC LC", "DTS", "ATRAC", "One Bit Audio", "E-AC-3", "DTS-HD", "MAT", "DST", "WMA Pro",
	}
	if int(f) < len(names) && names[f] != "" {
		return names[f]
	}
	return fmt.Sprintf("audio format %d", uint8(f))
}

// Audio is a format of sound that a display takes.
type Audio struct {
	Format   AudioFormat
	Channels int // at most
	Rates    uint8
	// Bits are of LPCM: 1, 2, 4 for 16, 20, 24 bits. MaxBitrate is of formats
	// 2 to 8, in kbit/s. Detail is the byte that both come from.
	Bits       uint8
	MaxBitrate int
	Detail     uint8
}

// audioRates are the sampling rates in Hz, by their bit in Rates.
var audioRates = [...]int{32000, 44100, 48000, 88200, 96000, 176400, 192000}

// SampleRates returns the sampling rates in Hz.
func (a Audio) SampleRates() []int {
	var rates []int
	for i, r := range audioRates {
		if a.Rates&(1<<i) != 0 {
			rates = append(rates, r)
		}
	}
	return rates
}

// audio decodes a short audio descriptor of three bytes.
func audio(b []byte) Audio {
	a := Audio{Format: AudioFormat(b[0] >> 3 & 15), Channels: int(b[0]&7) + 1, Rates: b[1] & 0x7f, Detail: b[2]}
	switch {
	case a.Format == LPCM:
		a.Bits = b[2] & 7
	case a.Format >= 2 && a.Format <= 8:
		a.MaxBitrate = 8 * int(b[2])
	case a.Format == audioExtension:
		a.Format = 16 + AudioFormat(b[2]>>3)
	}
	return a
}
