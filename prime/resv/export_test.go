package resv

// Debug says whether this is a debug build.
const Debug = debug

// MaxUsers is how many users a hold can have.
const MaxUsers = users / user

// Waiting returns how many stand in the queue.
func (r *Reservation) Waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.queue)
}

// Enlist gives a new set its age, which it gets with its first reservation
// otherwise.
func (s *Set) Enlist() uint64 {
	s.ticket = tickets.Add(1)
	return s.ticket
}
