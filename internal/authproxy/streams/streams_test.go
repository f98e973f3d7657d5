package streams_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/session"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/streams"
)

// house is a registry whose snapshots let in whom its list names.
type house struct {
	*streams.Registry

	current atomic.Pointer[snapshot.Snapshot]
	mu      sync.Mutex
	guests  map[*snapshot.Snapshot]map[string]bool
	ended   map[string]deny.Reason
}

func newHouse(guests ...string) *house {
	h := &house{guests: map[*snapshot.Snapshot]map[string]bool{}, ended: map[string]deny.Reason{}}
	h.Registry = streams.New(h.current.Load)
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
	return h.Open(streams.Stream{
		Caller: session.Caller{Subject: guest}, JudgedBy: by,
		Authorize: func(*snapshot.Snapshot) *deny.Denial { return nil },
		Identify: func(s *snapshot.Snapshot) *deny.Denial {
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.guests[s][guest] {
				return nil
			}
			return deny.Token(deny.Revoked)
		},
		Refused: func(denial *deny.Denial) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.ended[guest] = denial.Reason
		},
	}, limit)
}

func (h *house) hasEnded(guest string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended[guest] == deny.Revoked
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

func TestLimitIsPerCaller(t *testing.T) {
	h := newHouse("alice", "bob")
	now := h.current.Load()
	alice := session.Caller{Subject: "alice"}
	over, ok := h.open("alice", now, 2)
	if !ok || h.Full(alice, 2) {
		t.Fatal("the first stream")
	}
	if _, ok := h.open("alice", now, 2); !ok || !h.Full(alice, 2) || h.Full(alice, 0) || h.Full(alice, 3) {
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
