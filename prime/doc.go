// Package prime shares memory between devices and processes as dma-bufs, the
// kernel's PRIME: a [Buffer] owns a dma-buf's descriptor, whoever made it.
//
//	buf, err := prime.Export(dev, handle) // or NewUdmabuf, NewHeap, FromFile
//	if err != nil {
//		return err
//	}
//	defer buf.Close()
//	other, err := buf.Import(dev2) // the same memory, on another device
//	…
//	m, err := buf.Map()
//	if err != nil {
//		return err
//	}
//	defer m.Close()
//	w, err := buf.BeginAccess(ctx, prime.Write)
//	if err != nil {
//		return err
//	}
//	copy(m.Bytes(), picture)
//	return w.End()
//
// Devices work on their own: fences say what they have not done yet. A window
// waits for those in the buffer, and so does [Buffer.Wait]. A [SyncFile] takes
// them out, into another buffer or to another process; a [Timeline] is a place
// for those to come, which the sides agree on before. All waits end with their
// context.
//
// What other processes send is not trusted: [New] refuses what is no dma-buf,
// and [Params] and [Image.Validate] what does not lie inside its buffers. The
// bytes remain the peer's, too, and may change at any time.
//
// All methods may be called by many goroutines at once. Package gem counts
// handles and mappings with the rules of the kernel's own helpers.
//
// # Errors
//
// An error is an [*Error], or a [*drm.Error] where a device refused. Both match
// with errors.Is the kernel's errno and the sentinel that says what it means.
package prime
