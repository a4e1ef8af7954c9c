// Package gem manages GEM objects as the kernel's drm_gem_shmem_helper does:
// a [Store] counts the handles of an open DRM file, which the kernel does
// not, an [Object] is one reference to memory, and memory itself has the
// counters, the one mapping and the reservation, however many objects of
// however many devices lead to it.
//
//	store := gem.StoreOf(dev)
//	obj, err := store.Create(640, 480, 32)
//	...
//	defer obj.Close()
//	m, err := obj.VMap(ctx, prime.ReadWrite)
//	...
//	defer m.VUnmap()
//	copy(m.Bytes(), picture)
//
// # Memory
//
// An object made by Create and every import of it in this process share one
// piece of memory, for as long as an object or a mapping of it lives: one
// mapping, one set of counters. An import of foreign
// memory has none of its own and is mapped through its dma-buf.
//
// # Counters
//
// They are named as the kernel prints them and follow the rules of Linux 7.2:
//
//	method  kernel function              pages_use  pages_pin  vmap_use
//	VMap    drm_gem_shmem_vmap_locked    +1 if it was 0, with the first pin
//	                                                +1 if vmap_use was 0
//	                                                           +1
//	VUnmap  drm_gem_shmem_vunmap_locked  the reverse
//
// "Pages" are the mapping: it exists exactly while pages_use_count is not 0.
//
// # Concurrency
//
// Everything may be called from many goroutines. Close of an object lets its
// mappings live until their VUnmap.
//
// Pins of their own, short-term local mappings, purging and reservations
// that callers hold are not there yet.
package gem
