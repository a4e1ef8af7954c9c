package gem_test

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/debugfs"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/drm/kms"
	"github.com/gemtool/gemtool/gem"
)

// kernelObject is what debugfs says of an object, as far as it says something.
type kernelObject struct {
	refs, handles uint32
	shmem         *debugfs.Shmem
}

func (m *mirror) create() error {
	obj, err := m.store.Create(mirrorWidth, mirrorHeight, 32)
	if err != nil {
		return err
	}
	m.obj, m.closed, m.purged, m.exported, m.inode, m.own = obj, false, false, false, 0, 0
	m.imports = make([]*gem.Object, len(m.importers))
	if m.other == "vkms" { // vgem has no framebuffers
		m.fb = 0
		m.name, err = flinkName(m.dev, obj.Handle())
		m.named = err == nil
		return err
	}
	if m.fb, err = m.addFB(); err != nil {
		return err
	}
	o, _, err := m.object()
	if err != nil {
		return err
	}
	m.own = o.shmem.PagesUse // nobody else has it yet
	return nil
}

func flinkName(dev *drm.Device, h drm.Handle) (name uint32, err error) {
	arg := struct{ handle, name uint32 }{handle: uint32(h)}
	err = ioctl.ReadWrite[struct{ handle, name uint32 }]("GEM_FLINK", 'd', 0x0a).Do(dev.FD(), &arg)
	return arg.name, err
}

func (m *mirror) addFB() (kms.FBID, error) {
	dumb, _ := m.obj.Dumb()
	return kms.AddFB2(m.dev, kms.FB{
		Width: mirrorWidth, Height: mirrorHeight, Format: fourcc.XRGB8888, Modifier: fourcc.ModInvalid,
		Planes: []kms.FBPlane{{Handle: m.obj.Handle(), Pitch: dumb.Pitch}},
	})
}

// object reads what the kernel says of the object.
func (m *mirror) object() (o kernelObject, there bool, err error) {
	minor := int(unix.Minor(m.dev.Rdev()))
	if m.fb == 0 {
		text, err := debugfs.Default.GEMNames(minor)
		if err != nil {
			return o, false, err
		}
		names, err := debugfs.ParseGEMNames(text)
		i := slices.IndexFunc(names, func(n debugfs.GEMName) bool { return n.Name == m.name })
		if i < 0 {
			return o, false, err
		}
		return kernelObject{refs: names[i].RefCount, handles: names[i].Handles}, true, nil
	}
	text, err := debugfs.Default.Framebuffers(minor)
	if err != nil {
		return o, false, err
	}
	fbs, err := debugfs.ParseFramebuffers(text)
	i := slices.IndexFunc(fbs, func(fb debugfs.Framebuffer) bool { return fb.ID == uint32(m.fb) })
	if i < 0 {
		return o, false, err
	}
	obj := fbs[i].Layers[0].Object
	if obj.Imported || obj.Size != m.obj.Size() || obj.Shmem == nil {
		return o, false, fmt.Errorf("the kernel lists the object as %+v", *obj)
	}
	return kernelObject{refs: obj.RefCount, shmem: obj.Shmem}, true, nil
}
