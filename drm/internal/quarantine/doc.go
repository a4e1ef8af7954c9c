// Package quarantine ends mappings. In a debug build, with the tag gemdebug,
// nobody gets their addresses for a while, so that a use after the end faults
// at once and does not reach what is mapped there next.
package quarantine
