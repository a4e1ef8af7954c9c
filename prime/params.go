package prime

import (
	"fmt"

	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// Params collects what a peer says of an image, one plane after the other, as
// a client does with zwp_linux_buffer_params_v1 of linux-dmabuf. It owns the
// descriptors that it was given. The zero value is ready; it is good for one
// image, and for one goroutine.
type Params struct {
	planes   [4]Plane
	modifier fourcc.Modifier
	added    int
	done     bool
}

// Add takes ownership of fd, which may be anything, and makes it the buffer of
// a plane. Planes of one dma-buf share a Buffer. What the peer did wrong is an
// error that Close should follow.
//
// Errors: ErrImage for a plane that there cannot be or that is there already,
// for a modifier other than that of the other planes, and after Image;
// ErrNotDMABuf.
func (p *Params) Add(fd *ioctl.FD, plane, offset, pitch uint32, m fourcc.Modifier) error {
	buf, err := New(fd)
	if err != nil {
		return err
	}
	switch {
	case p.done:
		err = p.fail("it is complete")
	case plane >= uint32(len(p.planes)):
		err = p.fail("plane %d: no format has so many", plane)
	case p.planes[plane].Buffer != nil:
		err = p.fail("plane %d is there already", plane)
	case p.added > 0 && m != p.modifier:
		err = p.fail("plane %d: modifier %v, the others have %v", plane, m, p.modifier)
	}
	if err != nil {
		buf.Close()
		return err
	}
	for _, other := range p.planes {
		if other.Buffer != nil && other.Buffer.inode == buf.inode {
			buf.Close()
			buf = other.Buffer
			break
		}
	}
	p.planes[plane] = Plane{Buffer: buf, Offset: offset, Pitch: pitch}
	p.modifier = m
	p.added++
	return nil
}

// Image makes an image of the planes, which is valid as [Image.Validate] has
// it, and takes the numbers as the protocol has them. On an error p is closed,
// on success the caller closes the Image.
//
// Errors: ErrImage; ErrNotSupported, too, for what Validate does not know and
// for flags of the protocol (an image upside down, interlaced).
func (p *Params) Image(width, height int32, f fourcc.Format, flags uint32) (*Image, error) {
	err := p.check(width, height, flags)
	i := &Image{Width: uint32(width), Height: uint32(height), Format: f, Modifier: p.modifier, Planes: p.planes[:p.added]}
	if err == nil {
		err = i.Validate()
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	p.done = true
	return i, nil
}

func (p *Params) check(width, height int32, flags uint32) error {
	const known = 1 | 2 | 4 // y_invert, interlaced, bottom_first
	switch {
	case p.done:
		return p.fail("it is complete")
	case width < 1 || height < 1:
		return p.fail("%dx%d pixels", width, height)
	case flags&^known != 0:
		return p.fail("unknown flags %#x", flags)
	case flags != 0:
		e := p.fail("flags %#x", flags)
		e.Kind = ErrNotSupported
		return e
	}
	for n, plane := range p.planes[:p.added] {
		if plane.Buffer == nil {
			return p.fail("plane %d is missing", n)
		}
	}
	return nil
}

// Close closes the descriptors, unless they went to an Image.
func (p *Params) Close() {
	if !p.done {
		p.done = true
		closePlanes(p.planes[:])
	}
}

// Close closes the image's buffers, each of them once.
func (i *Image) Close() { closePlanes(i.Planes) }

func closePlanes(planes []Plane) {
	for _, p := range planes {
		if p.Buffer != nil {
			p.Buffer.Close() // ErrClosed where planes share it
		}
	}
}

func (p *Params) fail(format string, args ...any) *Error {
	return &Error{Op: "check of", Object: "image", Err: fmt.Errorf("%w: %s", ErrImage, fmt.Sprintf(format, args...))}
}
