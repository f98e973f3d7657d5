package audit

import (
	"net/netip"
	"sync"
	"time"
)

// How many decisions about strangers are written in full. Who has no valid token costs nothing to be one, and each line
// costs the reader of the audit something; so what is much alike is counted, and summed up at the end of a window.
const (
	// Window is how long decisions are counted until they are summed up.
	Window = 5 * time.Minute
	// FirstLines of a source, for each reason, are written in full. In a window after one in which lines were left out, it
	// is OneLine: a source that goes on tells nothing new.
	FirstLines = 10
	OneLine    = 1
	// AllLines is what all sources together may have in full in a window.
	AllLines = 500
	// MaxSources have summaries of their own in a window; all others share one.
	MaxSources = 256
)

// Summary is what was left out of the audit about one source in a window.
type Summary struct {
	// Since is when the window began, and Time when it ended.
	Since, Time time.Time
	// Source is the address, or the subnet of IPv6; the zero Prefix stands for all that are not told apart.
	Source netip.Prefix
	// LeftOut counts decisions by reason, and has at least one.
	LeftOut []Count
}

// Count is how many decisions of one reason were left out.
type Count struct {
	Reason string
	Count  int64
}

// Sampler chooses the decisions about strangers that are written in full: those about requests without a valid token. All
// others are none of its business. It is safe for concurrent use.
type Sampler struct {
	sum func(Summary)

	mu      sync.Mutex
	began   time.Time // of the window; zero while nobody has come
	written int
	sources map[netip.Prefix]*sourceWindow
	others  sourceWindow
}

// sourceWindow is what is known of a source in a window. Reasons are a closed set.
type sourceWindow struct {
	goesOn bool // lines were left out in the window before
	counts []sampled
}

type sampled struct {
	reason  string
	written int
	leftOut int64
}

// NewSampler makes one that hands summaries over at the end of each window, in no order. sum must not block, nor call back;
// it may be nil.
func NewSampler(sum func(Summary)) *Sampler {
	return &Sampler{sum: sum, sources: map[netip.Prefix]*sourceWindow{}}
}

// Take counts a decision about a source, and reports whether it is to be written in full. The reason is one of a closed
// set.
func (s *Sampler) Take(source netip.Prefix, reason string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roll(now)
	if s.began.IsZero() {
		s.began = now
	}
	from, known := s.sources[source]
	switch {
	case known:
	case len(s.sources) < MaxSources:
		from = &sourceWindow{}
		s.sources[source] = from
	default:
		from = &s.others
	}
	count, most := from.of(reason), FirstLines
	if from.goesOn {
		most = OneLine
	}
	if from != &s.others && count.written >= most || s.written >= AllLines {
		count.leftOut++
		return false
	}
	s.written++
	count.written++
	return true
}

func (s *sourceWindow) of(reason string) *sampled {
	for i := range s.counts {
		if s.counts[i].reason == reason {
			return &s.counts[i]
		}
	}
	s.counts = append(s.counts, sampled{reason: reason})
	return &s.counts[len(s.counts)-1]
}

// Tick ends the window if its time has come. Take does so itself; a source that comes no more is summed up all the same.
func (s *Sampler) Tick(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roll(now)
}

// Flush ends the window before its time: nothing more will come.
func (s *Sampler) Flush(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(now)
}

// roll also ends a window that lies in the future: the clock was set back.
func (s *Sampler) roll(now time.Time) {
	if !s.began.IsZero() && now.Sub(s.began).Abs() >= Window {
		s.end(now)
	}
}

// end forgets the sources of which nothing was left out.
func (s *Sampler) end(now time.Time) {
	for source, from := range s.sources {
		if from.goesOn = s.summarize(source, from, now); !from.goesOn {
			delete(s.sources, source)
		}
	}
	s.summarize(netip.Prefix{}, &s.others, now)
	s.began, s.written = time.Time{}, 0
}

// summarize reports whether anything was left out.
func (s *Sampler) summarize(source netip.Prefix, from *sourceWindow, now time.Time) bool {
	var leftOut []Count
	for _, c := range from.counts {
		if c.leftOut > 0 {
			leftOut = append(leftOut, Count{c.reason, c.leftOut})
		}
	}
	from.counts = nil
	if len(leftOut) > 0 && s.sum != nil {
		s.sum(Summary{Since: s.began, Time: now, Source: source, LeftOut: leftOut})
	}
	return len(leftOut) > 0
}
