// Package scanout makes framebuffers of images whose planes lie in dma-bufs, as
// a compositor's clients send them.
//
// Two planes often share a dma-buf, and two images do: the kernel has one handle
// for it on a file, which the first GEM_CLOSE ends for all. Here handles are
// counted by package gem's Store of the file, and each is closed once. Until a
// [Framebuffer] is closed its memory is held, as a display needs it.
package scanout
