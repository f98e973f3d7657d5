//go:build soak

package soak

import "time"

// holdStreams judges the streams that were open before a change: those whose caller is no longer let in have to end in
// time, all others have to stay. Whoever is let in and has none opens one.
func (r *reload) holdStreams() {
	r.t.Helper()
	now := r.rules.current()
	var open []*userStream
	for _, s := range r.streams {
		verdict := now.verdict(s.question)
		if verdict == accepted {
			if s.isOver() {
				r.t.Errorf("the stream of %s was cut, who is let in", s.question.sub)
			} else {
				open = append(open, s)
			}
			continue
		}
		r.mustEnd(s, verdict)
	}
	r.streams = open
	for _, q := range r.people {
		if now.verdict(q) == accepted && !r.listens(q) {
			s, err := listen(r.t.Context(), newCaller("https", r.port, false), q)
			if err != nil {
				r.t.Errorf("%s is let in: %v", q.sub, err)
				continue
			}
			r.t.Cleanup(s.stop)
			r.streams = append(r.streams, s)
		}
	}
}

func (r *reload) mustEnd(s *userStream, verdict string) {
	r.t.Helper()
	select {
	case <-s.over:
		r.cut++
		took := s.ended.Sub(r.written)
		r.longestCut = max(r.longestCut, took)
		if took > streamEnds {
			r.t.Errorf("%s: the stream of %s ended after %s", verdict, s.question.sub, took)
		}
		if s.problem != "" {
			r.t.Errorf("the stream of %s: %s", s.question.sub, s.problem)
		}
	case <-time.After(2 * streamEnds):
		r.t.Fatalf("%s: the stream of %s does not end", verdict, s.question.sub)
	}
}

func (r *reload) listens(q question) bool {
	for _, s := range r.streams {
		if s.question.bearer == q.bearer {
			return true
		}
	}
	return false
}

// noStreamBroke looks at those that are still open.
func (r *reload) noStreamBroke() {
	r.t.Helper()
	for _, s := range r.streams {
		if s.isOver() {
			r.t.Errorf("the stream of %s was cut", s.question.sub)
		}
		s.stop()
		<-s.over
		if s.problem != "" {
			r.t.Errorf("the stream of %s: %s", s.question.sub, s.problem)
		}
	}
}
