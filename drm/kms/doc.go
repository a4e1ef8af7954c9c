// Package kms binds modesetting on a [drm.Device]: framebuffers, the objects
// between them and a display, their properties, atomic commits and what came
// before them, and leases. Like package drm it is thin, but for [ReadBack],
// which has a CRTC show a picture and hands back what it showed.
//
// A client that is to show something reads the objects ([ReadResources],
// [ProbeConnector], [ReadPlanes]) and their properties ([ReadProperties]),
// makes a framebuffer of its pixels ([AddFB2]), puts what is to change into a
// [Request] and commits that. [drm.Device.Events] tells when it is done.
package kms
