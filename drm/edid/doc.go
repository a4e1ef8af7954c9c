// Package edid decodes what a display says about itself: names, timings,
// physical size, colour, HDR, and what its HDMI or DisplayPort side can take.
// The bytes come from a connector's EDID property or sysfs's edid file.
//
// Parse is pure: no files, no devices. It knows EDID 1.0 to 1.4, CTA-861
// extensions with HDMI's blocks, DisplayID 1.x and 2.x extensions, and block
// maps. The values are what the display says, not what is true; a [Warning]
// tells where a display contradicts itself, such as in a checksum.
//
// The display is not trusted. Any bytes give a value or an error. Strings hold
// printable ASCII only: any other byte stands there as \xNN, so that no name
// reaches a terminal as a control sequence.
package edid
