package words

// noImport are drivers that have, or had, no import at all, and inVRAM those
// whose buffers are, or were, in video memory only.
var (
	noImport = []string{"bochs-drm", "hibmc", "vboxvideo"}
	inVRAM   = append([]string{"qxl"}, noImport...)
)

// What ENOSPC is where something is to be shown.
const (
	outside = "What is to be shown lies outside of the framebuffer, in part at least"
	inside  = "A larger framebuffer, or a smaller source: SRC_X and its like count in 1/65536 pixel"
)

// hints are what errnos of DRM and dma-bufs mean. Only what was seen, or stands
// in the kernel's source, goes here.
var hints = []Hint{
	{Errno: "EACCES", Means: "Not permitted: the node's own permissions, the wrong node of the device, or not the DRM master",
		Try: "The card node for dumb buffers and modesetting; the groups video and render for the nodes"},
	{Errno: "EACCES", Call: "open", Means: "The permissions of the node forbid it; mostly the group video may open cards, and render the render nodes",
		Try: "Become a member of the group that ls -l shows, and log in again"},
	{Errno: "EACCES", Call: "MODE_CREATE_DUMB", Means: "A render node makes no dumb buffers, whoever asks", Try: "The card node of the same device"},
	{Errno: "EACCES", Call: "MODE_MAP_DUMB", Means: "A render node maps no dumb buffers, whoever asks", Try: "The card node, or the mapping of a dma-buf"},
	{Errno: "EACCES", Call: "MODE_ATOMIC", Means: "This file is not the device's DRM master: a display server is, or nobody", Try: "A text console, or a lease of the display server's"},
	{Errno: "EACCES", Call: "MODE_SETCRTC", Means: "This file is not the device's DRM master (a display server is, or nobody), or it is a lease without the CRTC's primary plane",
		Try: "A text console, or a lease of the display server's"},
	{Errno: "EACCES", Call: "MODE_PAGE_FLIP", Means: "This file is not the device's DRM master, or it is a lease without the CRTC's primary plane", Try: "A text console, or a lease of the display server's"},
	{Errno: "EACCES", Call: "SET_MASTER", Means: "This file was never the master, and its process is not root", Try: "Root, or logind or seatd, which hand out such files",
		Versions: "up to 6.1 it is the thread that must be the one that opened the file, later the process"},
	{Errno: "EACCES", Call: "SET_CLIENT_CAP", Means: "Client caps are about modesetting, which render nodes do not have", Try: "The card node"},
	{Errno: "EACCES", Call: "mmap", Means: "The object is not one of this file, or the dma-buf was exported read-only", Try: "Export read-write, at the object's first export"},

	{Errno: "EPERM", Means: "The driver lets nobody map this memory, or the call needs root"},
	{Errno: "EPERM", Call: "open", Means: "The permissions of the node allow it, and a device cgroup does not: this is a container", Try: "Give it its nodes: docker run --device /dev/dri"},
	{Errno: "EPERM", Call: "MODE_MAP_DUMB", Means: "The driver (amdgpu, radeon) lets no CPU touch this buffer: it is the memory of a process, or was made without CPU access",
		Try: "Another buffer"},

	{Errno: "EINVAL", Means: "A bad argument, or an ioctl that this kernel does not know: DRM answers both alike, so EINVAL proves nothing",
		Try: "The same call with arguments that are known to be good: if that fails too, the kernel lacks it"},
	{Errno: "EINVAL", Call: "PRIME_FD_TO_HANDLE",
		Means: "EINVAL alone proves nothing. Known reasons are a descriptor that is no dma-buf, a driver without import, and a device without IOMMU that needs memory in one piece",
		Try:   "Another exporter: the device itself, or a heap of contiguous memory"},
	{Errno: "EINVAL", Call: "PRIME_FD_TO_HANDLE", Importer: noImport,
		Means: "EINVAL alone proves nothing, but {importer} is known to have no import while it keeps buffers in video memory (bochs: until Linux 6.12)",
		Try:   "Copy, or a newer kernel"},
	{Errno: "EINVAL", Call: "PRIME_HANDLE_TO_FD", Means: "The flags are others than DRM_CLOEXEC and DRM_RDWR"},
	{Errno: "EINVAL", Call: "MODE_MAP_DUMB", Means: "The object is an import, which drivers with the kernel's own helpers do not map this way", Try: "The mapping of its dma-buf",
		Versions: "msm allowed it up to 6.12; amdgpu, nouveau and xe still do, and the first touch is a SIGBUS"},
	{Errno: "EINVAL", Call: "GEM_CLOSE", Means: "There is no such handle: it was closed already, perhaps by whoever imported the same dma-buf, which gives the same handle again",
		Try: "Count the handles, as package gem does"},
	{Errno: "EINVAL", Call: "MODE_DESTROY_DUMB", Means: "There is no such handle: it was closed already"},
	{Errno: "EINVAL", Call: "MODE_CREATE_DUMB", Means: "Width, height or bits per pixel are 0, the size is more than 32 bits, or the driver does not do these bits per pixel",
		Try: "32 bits per pixel, which every driver does", Versions: "6.1 and 6.12 give a buffer of a few bytes for rows of more than half a gigabyte; 7.2 refuses"},
	{Errno: "EINVAL", Call: "MODE_CLOSEFB", Means: "The kernel is older than 6.8; for no such framebuffer it is ENOENT", Try: "MODE_RMFB", Versions: "since 6.8"},
	{Errno: "EINVAL", Call: "MODE_ATOMIC", Means: "The client cap for atomic modesetting is not set, a flag or property is wrong, or the device cannot show this",
		Try: "TEST_ONLY with fewer changes, and the kernel's log with drm.debug=0x10"},
	{Errno: "EINVAL", Call: "MODE_ADDFB2", Means: "The driver does not show this format, modifier, pitch or size", Try: "The formats that `gemtool caps` lists"},
	{Errno: "EINVAL", Call: "MODE_ADDFB2", Importer: []string{"amdgpu", "radeon"}, Means: "{importer} shows no memory of other devices on its displays", Try: "Copy into a buffer of its own"},
	{Errno: "EINVAL", Call: "SET_CLIENT_CAP", Means: "This kernel does not know the cap or the value, or the cap needs another before it: writeback connectors, cursor hotspots and colour pipelines need ATOMIC"},
	{Errno: "EINVAL", Call: "SYNCOBJ_WAIT", Means: "A sync object has no fence yet", Try: "The flag WAIT_FOR_SUBMIT, to wait for that, too"},
	{Errno: "EINVAL", Call: "SYNCOBJ_TIMELINE_WAIT", Means: "A point of the timeline has no fence yet", Try: "The flag WAIT_FOR_SUBMIT, to wait for that, too"},
	{Errno: "EINVAL", Call: "SYNCOBJ_HANDLE_TO_FD", Means: "The sync object has no fence yet that a sync_file could be made of"},
	{Errno: "EINVAL", Call: "open", Means: "vga_switcheroo has switched this GPU off", Try: "To switch it on in /sys/kernel/debug/vgaswitcheroo/switch"},
	{Errno: "EINVAL", Call: "DROP_MASTER", Means: "This file is not the master"},
	{Errno: "EINVAL", Call: "SET_CLIENT_NAME", Means: "More than 64 bytes, or one that is no visible ASCII character; or the kernel is older than 6.13", Versions: "since 6.13"},
	{Errno: "EINVAL", Call: "DMA_BUF_IOCTL_SYNC", Means: "Flags that do not exist, or on a udmabuf an end without a start"},
	{Errno: "EINVAL", Call: "UDMABUF_CREATE", Means: "The memfd is not sealed against shrinking, is sealed against writing, or the range is not of whole pages, too long, or beyond its end",
		Try: "F_SEAL_SHRINK; /sys/module/udmabuf/parameters/size_limit_mb"},
	{Errno: "EINVAL", Call: "mmap", Means: "A wrong offset, more than the object has, or MAP_PRIVATE", Try: "Whole objects, at offset 0, shared"},

	{Errno: "ENOENT", Means: "There is no such object or handle on this file"},
	{Errno: "ENOENT", Call: "PRIME_HANDLE_TO_FD", Means: "There is no such handle on this file, or another thread closes it right now"},

	{Errno: "EOPNOTSUPP", Means: "The device has no such feature at all: no modesetting, no sync objects, no atomic modesetting"},
	{Errno: "EOPNOTSUPP", Call: "GET_CAP", Means: "Most caps are about modesetting, which this device does not have; vgem says so and makes dumb buffers all the same", Try: "What the cap is about, all the same"},
	{Errno: "EOPNOTSUPP", Call: "MODE_GETRESOURCES", Means: "The driver does no modesetting: it has no display, or nvidia-drm was loaded without modeset=1"},
	{Errno: "EOPNOTSUPP", Call: "MODE_ATOMIC", Means: "The driver has no atomic modesetting", Try: "MODE_SETCRTC and MODE_PAGE_FLIP"},
	{Errno: "EOPNOTSUPP", Call: "SET_CLIENT_CAP", Means: "The driver has no modesetting, no atomic modesetting, or not what the cap is about: cursor hotspots are for displays of virtual machines, and few planes have colour pipelines"},

	{Errno: "ENOSYS", Means: "The driver lacks this function"},
	{Errno: "ENOSYS", Call: "MODE_CREATE_DUMB", Means: "The driver makes no dumb buffers", Try: "Another device, udmabuf or a dma-heap"},
	{Errno: "ENOSYS", Call: "PRIME_HANDLE_TO_FD", Means: "The driver exports nothing"},
	{Errno: "ENOSYS", Call: "PRIME_FD_TO_HANDLE", Means: "One of the two drivers does not do this: the exporter's cannot share its memory, or the importer's cannot import",
		Try: "Another exporter"},
	{Errno: "ENOSYS", Call: "PRIME_FD_TO_HANDLE", Exporter: inVRAM,
		Means: "{exporter} keeps buffers in video memory, which no other device can attach to (bochs: until Linux 6.12)",
		Try:   "Another exporter, such as udmabuf, or a newer kernel"},
	{Errno: "ENOSYS", Call: "PRIME_FD_TO_HANDLE", Importer: []string{"qxl"}, Means: "qxl takes no buffers of other devices", Try: "Copy"},

	{Errno: "ENODEV", Means: "The device was unplugged or its driver unbound, if VERSION on the same file answers ENODEV as well; else a driver's way to say no"},
	{Errno: "ENODEV", Call: "PRIME_FD_TO_HANDLE", Means: "{importer} is there, and refuses this buffer: it takes only its own", Try: "Allocate on it and import elsewhere, or copy"},
	{Errno: "ENODEV", Call: "PRIME_FD_TO_HANDLE", Importer: []string{"virtio_gpu"},
		Means: "virtio_gpu is there, and takes only its own buffers: without blob resources it cannot tell the host about other memory",
		Try:   "Allocate on virtio_gpu and import elsewhere, or copy"},
	{Errno: "ENODEV", Call: "MODE_MAP_DUMB", Means: "The object has no pages that the CPU could map (i915)", Try: "The mapping of its dma-buf"},

	{Errno: "ENODEV", Call: "open", Means: "The node's device is gone: it was unplugged, or its driver unbound"},

	{Errno: "ENXIO", Means: "The device lacks a part of what was asked for"},
	{Errno: "ENXIO", Call: "open", Means: "There is no driver for this node's number; or it is a dma-buf in /proc, which cannot be opened there", Try: "pidfd_getfd for a descriptor of another process"},
	{Errno: "ENXIO", Call: "MODE_CURSOR", Means: "The CRTC has no cursor of its own", Try: "A plane, or the pointer drawn into the picture"},
	{Errno: "ENXIO", Call: "MODE_CURSOR2", Means: "The CRTC has no cursor of its own", Try: "A plane, or the pointer drawn into the picture"},

	{Errno: "ENOMEM", Means: "The kernel or the video memory has no room; nvidia-drm says it for a buffer that it cannot share, too"},
	{Errno: "ENOMEM", Call: "mmap", Means: "The kernel found no memory for the pages; those it did find stay with the object", Try: "Close the object soon, and take a smaller one"},
	{Errno: "ENOMEM", Call: "PRIME_FD_TO_HANDLE", Importer: []string{"nvidia-drm"}, Means: "So nvidia-drm refuses memory of other devices; there can be too little memory, too",
		Try: "Allocate on the NVIDIA device and import elsewhere, or copy"},
	{Errno: "ENOMEM", Call: "PRIME_FD_TO_HANDLE", Means: "No memory, or a table of handles that is full because they are never closed",
		Try: "Close handles"},
	{Errno: "ENOSPC", Means: "The video memory, or the space of mmap offsets, is full; a size of 0 can be answered so, too", Try: "A smaller buffer"},

	{Errno: "ENOSPC", Call: "MODE_SETCRTC", Means: outside, Try: inside},
	{Errno: "ENOSPC", Call: "MODE_PAGE_FLIP", Means: outside, Try: inside},
	{Errno: "ENOSPC", Call: "MODE_SETPLANE", Means: outside, Try: inside},
	{Errno: "ENOSPC", Call: "MODE_ATOMIC", Means: outside, Try: inside},

	{Errno: "EBUSY", Means: "Somebody else is at it: a flip or modeset is under way, or another file is the DRM master", Try: "Wait for the event of the flip, do not try again and again"},
	{Errno: "EBUSY", Call: "SET_MASTER", Means: "Another file is the master: a display server, or a program that opened the node first and keeps it", Try: "End it; `fuser /dev/dri/card*` names it"},
	{Errno: "EBUSY", Call: "MODE_PAGE_FLIP", Means: "The last flip has not been shown yet, or the CRTC shows nothing that could be flipped",
		Try: "Wait for the event of the last flip; where there was none, MODE_SETCRTC first"},
	{Errno: "EBUSY", Call: "MODE_ATOMIC", Means: "The last commit of this CRTC has not been shown yet", Try: "Wait for its event"},

	{Errno: "EINTR", Means: "A signal came, and nothing is wrong: the call must be issued again, unchanged"},
	{Errno: "EAGAIN", Means: "The call must be issued again, unchanged; on read(2) of a card node: no event is there"},
	{Errno: "ETIME", Means: "The time for waiting on a sync object is over"},

	{Errno: "EBADF", Means: "The descriptor is closed, or negative"},
	{Errno: "EBADF", Call: "PRIME_FD_TO_HANDLE", Means: "The descriptor is closed, or negative; one that is open and no dma-buf is EINVAL"},
	{Errno: "EBADFD", Call: "UDMABUF_CREATE", Means: "The descriptor is no memfd"},
	{Errno: "ENOTTY", Means: "An ioctl on a file of another kind, or one that this kernel was built without"},
	{Errno: "EFAULT", Means: "A pointer leads nowhere"},
	{Errno: "EIO", Means: "The device failed, or hangs; the kernel's log says more"},
	{Errno: "EMFILE", Means: "This process has all the descriptors that it may have", Try: "ulimit -n, or close some: every dma-buf is one"},
	{Errno: "ENFILE", Means: "The system has all the open files that it may have"},
	{Errno: "ERANGE", Means: "A number that the driver cannot take"},
	{Errno: "EDEADLK", Means: "Two users wait for each other's buffers; the kernel resolves that itself in most calls, and here leaves it to the caller"},
}
