package streams_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/session"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/streams"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// house is a registry whose snapshots let in whom its list names.
type house struct {
	*streams.Registry

	current atomic.Pointer[snapshot.Snapshot]
	mu      sync.Mutex
	guests  map[*snapshot.Snapshot]map[string]bool
	ended   map[string]gateapi.Reason
}

// answer calls what a test gave it, and is content otherwise.
type answer struct {
	identify, authorize func(*snapshot.Snapshot) *deny.Denial
	refuse              func(*deny.Denial)
	expire, drain       func()
}

func (a answer) Identify(s *snapshot.Snapshot) *deny.Denial  { return judge(a.identify, s) }
func (a answer) Authorize(s *snapshot.Snapshot) *deny.Denial { return judge(a.authorize, s) }
func (a answer) Refuse(denial *deny.Denial)                  { a.refuse(denial) }
func (a answer) Expire()                                     { a.expire() }
func (a answer) Drain()                                      { a.drain() }

func judge(by func(*snapshot.Snapshot) *deny.Denial, s *snapshot.Snapshot) *deny.Denial {
	if by == nil {
		return nil
	}
	return by(s)
}

func newHouse(guests ...string) *house {
	h := &house{guests: map[*snapshot.Snapshot]map[string]bool{}, ended: map[string]gateapi.Reason{}}
	h.Registry = streams.New(h.current.Load, 3)
	h.swap(guests...)
	return h
}

func (h *house) swap(guests ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := &snapshot.Snapshot{}
	h.guests[next] = map[string]bool{}
	for _, guest := range guests {
		h.guests[next][guest] = true
	}
	h.current.Store(next)
}

func (h *house) open(guest string, by *snapshot.Snapshot, limit int) (func(), bool) {
	over, full := h.Open(streams.Stream{
		Caller: session.Caller{Subject: guest}, JudgedBy: by,
		Answer: answer{
			identify: func(s *snapshot.Snapshot) *deny.Denial {
				h.mu.Lock()
				defer h.mu.Unlock()
				if h.guests[s][guest] {
					return nil
				}
				return deny.Token(gateapi.ReasonRevoked)
			},
			refuse: func(denial *deny.Denial) {
				h.mu.Lock()
				defer h.mu.Unlock()
				h.ended[guest] = denial.Reason
			},
		},
	}, limit)
	return over, full == nil
}

func (h *house) hasEnded(guest string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended[guest] == gateapi.ReasonRevoked
}

func TestStreamsAreJudgedAgain(t *testing.T) {
	h := newHouse("alice", "bob")
	first := h.current.Load()
	overAlice, _ := h.open("alice", first, 0)
	h.open("bob", first, 0)
	h.Judge()
	if h.hasEnded("alice") || h.hasEnded("bob") || h.Count() != 2 {
		t.Fatal("nothing has changed")
	}
	h.swap("alice")
	h.Judge()
	if h.hasEnded("alice") || !h.hasEnded("bob") {
		t.Errorf("ended: %v", h.ended)
	}
	overAlice()
	h.swap()
	h.Judge()
	if h.hasEnded("alice") || h.Count() != 1 {
		t.Error("a stream that is over was judged")
	}
}

// The rules change after the caller got in, and before the answer turns out to be a stream.
func TestChangeBeforeTheStreamOpens(t *testing.T) {
	h := newHouse("alice", "bob")
	before := h.current.Load()
	h.swap("bob")
	h.Judge()
	h.open("alice", before, 0)
	h.open("bob", before, 0)
	if !h.hasEnded("alice") || h.hasEnded("bob") {
		t.Errorf("ended: %v", h.ended)
	}
}

func (h *house) full(limit int) bool {
	return h.Full(session.Caller{Subject: "alice"}, limit, false) != nil
}

func TestLimitIsPerCaller(t *testing.T) {
	h := newHouse("alice", "bob")
	now := h.current.Load()
	over, ok := h.open("alice", now, 2)
	if !ok || h.full(2) {
		t.Fatal("the first stream")
	}
	if _, ok := h.open("alice", now, 2); !ok || !h.full(2) || h.full(0) || h.full(3) {
		t.Fatal("the second stream")
	}
	if _, ok := h.open("alice", now, 2); ok || h.Count() != 2 {
		t.Error("the third stream of two")
	}
	if _, ok := h.open("bob", now, 2); !ok {
		t.Error("another caller has to suffer for it")
	}
	over()
	if _, ok := h.open("alice", now, 2); !ok {
		t.Error("a stream that is over still counts")
	}
	if _, ok := h.open("alice", now, 0); !ok {
		t.Error("0 is no limit")
	}
}

// However opening and changing interleave, nobody stays who may not.
func TestOpeningWhileTheRulesChange(t *testing.T) {
	for range 200 {
		h := newHouse("alice")
		before := h.current.Load()
		var both sync.WaitGroup
		both.Go(func() { h.open("alice", before, 0) })
		both.Go(func() { h.swap(); h.Judge() })
		both.Wait()
		if !h.hasEnded("alice") {
			t.Fatal("the stream stays open")
		}
	}
}

// Streams that stay for hours must leave room for other requests.
func TestStandingStreamsOverTheirBound_AreRefusedForAll(t *testing.T) {
	h := newHouse() // for three
	stream := func(guest string, standing bool) (func(), *deny.Denial) {
		return h.Open(streams.Stream{Caller: session.Caller{Subject: guest}, Standing: standing, JudgedBy: h.current.Load()}, 0)
	}
	over, _ := stream("a", true)
	stream("b", true)
	stream("c", true)
	if _, full := stream("d", true); full == nil || full.Reason != gateapi.ReasonOverloaded {
		t.Errorf("the fourth: got %v", full)
	}
	if _, full := stream("d", false); full != nil {
		t.Errorf("an answer that is a stream: got %v", full.Reason)
	}
	over()
	if _, full := stream("d", true); full != nil {
		t.Errorf("after one has ended: got %v", full.Reason)
	}
}

func TestCallerWhoTakesAllStandingStreams_LeavesRoomForTheNext(t *testing.T) {
	h := newHouse() // for three
	stand := func(guest string) *deny.Denial {
		_, full := h.Open(streams.Stream{Caller: session.Caller{Subject: guest}, Standing: true, JudgedBy: h.current.Load()}, 0)
		return full
	}
	stand("a")
	stand("a")
	if full := stand("a"); full == nil || full.Reason != gateapi.ReasonTooManyStreams {
		t.Errorf("the third of one caller: got %v", full)
	}
	if full := stand("b"); full != nil {
		t.Errorf("the first of the next: got %v", full.Reason)
	}
}

func TestOtherRules_AreAskedOnlyIfTheyChanged(t *testing.T) {
	h := newHouse("alice")
	asked := 0
	h.Open(streams.Stream{
		JudgedBy: h.current.Load(),
		Answer:   answer{authorize: func(*snapshot.Snapshot) *deny.Denial { asked++; return nil }},
	}, 0)
	h.swap("alice")
	h.Judge()
	if asked != 0 {
		t.Errorf("asked %d times although the rules are the same", asked)
	}
	other := &snapshot.Snapshot{}
	other.Config.Authorization.RequiredScopes = []string{"new"}
	h.current.Store(other)
	h.Judge()
	if asked != 1 {
		t.Errorf("asked %d times after the rules changed", asked)
	}
}

// One caller's long list must not delay the revocation of another.
func TestAllCallers_AreJudgedBeforeAnybodysRules(t *testing.T) {
	h := newHouse()
	var order []string
	for range 3 {
		h.Open(streams.Stream{JudgedBy: h.current.Load(), Answer: answer{
			identify:  func(*snapshot.Snapshot) *deny.Denial { order = append(order, "caller"); return nil },
			authorize: func(*snapshot.Snapshot) *deny.Denial { order = append(order, "rules"); return nil },
		}}, 0)
	}
	other := &snapshot.Snapshot{}
	other.Config.Authorization.RequiredScopes = []string{"new"}
	h.current.Store(other)
	h.Judge()
	if want := []string{"caller", "caller", "caller", "rules", "rules", "rules"}; !slices.Equal(order, want) {
		t.Errorf("got %v", order)
	}
}

func TestExpire_EndsWhatIsDueByThisClock(t *testing.T) {
	h, now := newHouse(), time.Now()
	ended := map[string]int{}
	for name, life := range map[string]time.Duration{"soon": time.Minute, "late": time.Hour} {
		h.Watch(streams.Stream{JudgedBy: h.current.Load(), Ends: now.Add(life), Answer: answer{expire: func() { ended[name]++ }}})
	}
	h.Expire(now)
	h.Expire(now.Add(time.Minute))
	if ended["soon"] != 1 || ended["late"] != 0 || h.Count() != 0 {
		t.Errorf("ended %v, %d count as streams", ended, h.Count())
	}
}

func TestDrain_EndsStandingStreamsApartFromOthers(t *testing.T) {
	h := newHouse()
	drained := map[bool]int{}
	for _, standing := range []bool{true, false} {
		h.Open(streams.Stream{JudgedBy: h.current.Load(), Standing: standing, Answer: answer{drain: func() { drained[standing]++ }}}, 0)
	}
	h.Drain(true)
	if drained[true] != 1 || drained[false] != 0 {
		t.Errorf("after the standing streams had to end, drained %v", drained)
	}
	h.Drain(false)
	if drained[true] != 1 || drained[false] != 1 {
		t.Errorf("after all others had to end, drained %v", drained)
	}
}
