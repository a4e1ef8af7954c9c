package resv

import "sync"

// Mutex is a sync.Mutex that a debug build watches, for locks that stand near
// reservations: it must not be held when a reservation is taken, may be taken
// inside one, and its order with other Mutexes is watched.
type Mutex struct {
	// Name says in reports which lock it is. Mutexes of one Name are taken
	// for one kind: their order among each other is not watched. That of
	// Mutexes without a Name is not watched at all.
	Name string

	watch watched
	mu    sync.Mutex
}

// Lock is [sync.Mutex.Lock].
func (m *Mutex) Lock() {
	me := m.watch.wants(m.kind(), nil)
	m.mu.Lock()
	m.watch.took(m.kind(), nil, me)
}

// TryLock is [sync.Mutex.TryLock].
func (m *Mutex) TryLock() bool {
	if !m.mu.TryLock() {
		return false
	}
	m.watch.took(m.kind(), nil, m.watch.tries())
	return true
}

// Unlock is [sync.Mutex.Unlock].
func (m *Mutex) Unlock() {
	m.watch.gives()
	m.mu.Unlock()
}

func (m *Mutex) kind() kind { return kind(m.Name) }

// kind is what a debug build tells locks apart by: a Mutex's Name, or one of
// those below.
type kind string

const (
	aReservation kind = "reservation"
	aCall        kind = "call under a hold"
)

func (k kind) String() string {
	if k == "" {
		return "a Mutex without a name"
	}
	return string(k)
}
