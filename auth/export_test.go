package auth

// FillPlaces takes all places for password hashing, until the answer is called.
func (s *Service) FillPlaces() (free func()) {
	for range cap(s.hashing) {
		s.hashing <- struct{}{}
	}
	return func() {
		for range cap(s.hashing) {
			<-s.hashing
		}
	}
}

// Counted is how many names and addresses the throttle remembers.
func (s *Service) Counted() int { return len(s.throttle.fails) }
