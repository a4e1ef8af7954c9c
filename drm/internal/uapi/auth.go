package uapi

import "github.com/gemtool/gemtool/drm/ioctl"

// OpGetMagic is OpAuthMagic's other half.
var OpGetMagic = ioctl.Read[Auth]("GET_MAGIC", base, 0x02)
