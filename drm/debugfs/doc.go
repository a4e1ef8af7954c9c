// Package debugfs reads what the kernel prints about buffers for debugging:
// the counters of the objects behind framebuffers, the objects that have global
// names, who has a device open, and all dma-bufs of the system.
//
// The files are of root only, and of no stable format: what they say is for
// tests and diagnoses, and nothing works or fails by it. Reading and parsing
// are apart: a [Dir] reads, and the Parse functions take text from anywhere.
//
// The text has names in it that others chose, raw and with line breaks. A
// process called "a\n\trefcount=9" adds a line to the framebuffers that it
// makes, and whoever has a dma-buf gives it any name. Such names are shorter
// than what they would have to forge, so that with the kernel's own order of
// lines taken strictly, no number in a result is a peer's. Names in results
// are raw: escape them before a terminal sees them.
package debugfs
