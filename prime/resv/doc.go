// Package resv has the lock that belongs to memory, as the dma_resv of a
// dma-buf does in the kernel: whoever maps, pins or counts a piece of memory
// holds the Reservation of that memory, whichever object or buffer led to it.
// A Reservation excludes goroutines of this process. Other processes and
// devices are ordered by fences.
//
// # Rules
//
// A reservation is the outermost lock: nobody holds another one when he takes
// it, be it of this module or of the program that uses it. This is the order
// that the kernel's drivers had to be brought to before dma_resv could replace
// their own locks.
//
// Outside of a [Set] at most one is held at a time. Several are taken with a
// Set, which is the kernel's ww_acquire_ctx and drm_exec in one: of two sets
// that want each other's reservations the younger gives way (wait-die, as
// reservation_ww_class), and all finish.
//
// A hold is the goroutine's that took it, also while others use its Held or
// unlock it. TryLock and Defer never wait, so that they may be called under
// anything.
//
// # The debug build
//
// Built with the tag gemdebug, the package watches these rules and reports
// what breaks them, whether or not a deadlock comes of it: see [Report]. For
// that it knows who holds which reservation, and which [Mutex]: a program that
// uses Mutex for its own locks learns where it takes them in the wrong order.
// Other builds do not watch, and pay nothing.
package resv
