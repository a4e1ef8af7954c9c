// Package kms binds modesetting on a [drm.Device]: framebuffers, the objects
// between them and a display, their properties, and atomic commits. Like
// package drm it is thin, but for [ReadBack], which has a CRTC show a picture
// and hands back what it showed.
package kms
