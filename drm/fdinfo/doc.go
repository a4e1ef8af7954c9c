// Package fdinfo reads what the kernel says of a process's open DRM files and
// dma-bufs, in /proc/PID/fdinfo: which client of which device a file is, how
// much memory and engine time it has used, and how large a buffer is.
//
// Reading and parsing are apart: a [Dir] reads, and [Parse] takes text from
// anywhere. [Dir.Files] finds a process's files. One's own processes can be
// read by anybody, those of others by whom the kernel lets trace them.
//
// Only some drivers print anything of their clients: amdgpu, etnaviv, i915, msm,
// panfrost, panthor, v3d and xe with Linux 7.2. vkms, vgem, virtio-gpu, bochs,
// nouveau and nvidia do not: their files have no [Client].
//
// The text has names in it that others chose. Whoever has a dma-buf gives it any
// name, with line breaks, but the kernel prints that last: what follows it is
// the name, and the first of two lines with one key is the kernel's. A client's
// name is printable ASCII without spaces, which the kernel sees to. Strings in
// results are raw: escape them before a terminal sees them.
package fdinfo
