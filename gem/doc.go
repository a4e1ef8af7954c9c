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
//	err = obj.Local(ctx, prime.Write, func(v gem.View) error {
//		copy(v.Bytes(), picture)
//		return nil
//	})
//
// # Mappings
//
// [Object.Local] maps for the time of a function, and is what most callers
// want: it waits for fences, opens an access window, takes the reservation and
// undoes all of it. [LocalAll] does so for several objects at once.
// [Object.VMap] maps until VUnmap, for those who draw again and again.
// [Object.Pin] only keeps the mapping, so that what follows is cheap.
//
// Whoever holds the reservation already, for several steps or several objects,
// calls the same with Locked in their names: PinLocked, VMapLocked,
// LocalLocked. What takes something needs a context or a Held; what gives it
// back needs neither, never waits, and works on a closed object: if somebody
// holds the reservation, Unlock finishes it.
//
// # Counters
//
// They are named as the kernel prints them, and follow the rules of Linux 7.2.
// "Pages" are the one mapping of the whole memory: it exists exactly while
// pages_use_count (U) is not 0, and the kernel counts it as one VMA.
//
//	Go                  kernel function                  pages_use  pages_pin  vmap_use  lock
//	                                                     U          P          V
//	Pin, PinLocked      drm_gem_shmem_pin(_locked)       +1 if P=0  +1         -         none if P>0, else resv
//	Unpin               drm_gem_shmem_unpin(_locked)     -1 if P→0  -1         -         none if P>1, else resv or its Unlock
//	VMap, VMapLocked    drm_gem_shmem_vmap(_locked)      as Pin     +1 if V=0  +1        resv
//	VUnmap              drm_gem_shmem_vunmap(_locked)    as Unpin   -1 if V→0  -1        resv or its Unlock
//	Local, LocalLocked  none: drm_gem_vmap_local was     +1 for the -          -         resv, until Unmap
//	                    proposed and not merged          first
//	Local.Unmap         -                                -1 for the -          -         held since LocalLocked
//	                                                     last
//	Madvise             drm_gem_shmem_madvise(_locked)   -          -          -         resv
//	IsPurgeable         drm_gem_shmem_is_purgeable       needs 0    needs 0    needs 0   resv
//	Purge, Shrink       drm_gem_shmem_purge(_locked)     needs 0    needs 0    needs 0   resv; Shrink tries it
//	Stats               drm_gem_shmem_print_info         -          -          -         resv
//	Export              drm_gem_prime_handle_to_dmabuf   -          -          -         none
//	Import              drm_gem_prime_fd_to_handle       -          -          -         none
//	Adopt               what follows GETFB2              -          -          -         none
//	Hold                drm_gem_object_get               -          -          -         none
//	BeginAccess, End    dma_buf_begin_cpu_access         -          -          -         none: never under resv
//	LockAll             drm_exec_prepare_array           -          -          -         resv of each
//
// So U = (P > 0) + (local maps > 0), and V > 0 ⇒ P > 0 ⇒ U > 0, always. These
// are the library's own counters: user space cannot move the kernel's pins and
// maps, it adds one VMA to the kernel's pages_use_count. A pin therefore says
// nothing about video memory.
//
// A call that fails leaves the counters as they were. One Unpin too many is
// ErrUnderflow, also if a map has a pin of its own; a second VUnmap or Unmap is
// ErrStale.
//
// # Imports
//
// An object is an import where its memory is another device's, or came as a
// dma-buf from elsewhere. It has no counters: its maps are those of the
// exporter's memory, whose counters move, if that is of this process, and else
// those of the dma-buf, which counts them itself. It cannot be pinned, and
// Stats has nothing to say of it. Memory that comes back to the device it is of
// is no import.
//
// # Reservation
//
// [Object.Reservation] is the lock of the memory, and the only one: see package
// resv. It is the outermost lock, and excludes goroutines of this process;
// devices and other processes are ordered by fences. Several are taken with
// [LockAll].
//
// # Lifetime
//
// Memory lives as long as something refers to it: an object, a map, a pin, a
// hold, an exported Buffer. Slices of an ended mapping must not be touched:
// they are fatal for the process, or show other memory. The debug build (tag
// gemdebug) keeps ended mappings as memory that faults at once, checks the
// order of locks, and tells with [OnWarn] where objects were made that were
// leaked or closed in use.
//
// # Purging
//
// Dumb buffers have no madvise in the uAPI. Madvise, Purge and Shrink keep the
// kernel's book in the library, and a purge is a GEM_CLOSE: it frees memory if
// nothing else in the kernel uses it. A purged object stays so: its maps, pins
// and exports are ErrPurged, where the kernel would still pin it.
//
// A [Pool] keeps buffers for their next user, and offers them to Shrink until
// then.
//
// # Concurrency
//
// Everything may be called from many goroutines. A [resv.Held] is meant for
// one, and calls with the same one exclude each other.
package gem
