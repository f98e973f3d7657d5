//go:build soak

package soak

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

// memoryShare of its limit is the most that a gate may ever use.
const memoryShare = 0.8

// attack wants to use up a gate's memory.
type attack struct {
	name string
	// tls: the gate serves over TLS, and so also HTTP/2. rules: it judges the messages of bodies.
	tls, rules bool
	// crowd: it has more good identities than the gate has room for requests. Good clients may then be told so, and at most
	// one request in a hundred may meet the end of its connection.
	crowd bool
	// run attacks until ctx is done, and leaves no connection open.
	run func(ctx context.Context, s *siege)
}

// Beside each attack, a gate with its default memory limit lives on, stays below 80 % of the limit, and serves every good
// request. Half of the processors are the gate's.
func TestMemory(t *testing.T) {
	const files = 12_000 // connections of the largest attack, those of good clients, and some more
	raiseFileLimit(t, files)
	limit := defaultMemory(t)
	costs := &table{
		title: fmt.Sprintf("Memory: a gate in a cgroup of %.0f MiB, with good clients beside each attack", mebibytes(limit)),
		rows: [][]any{{"attack", "alive", "RSS at most, MiB", "% of limit", "cgroup at most, MiB", "oom_kill",
			"good requests", "not 200", "asked again", "streams broken", "p99 calm", "p99", "ratio", "what the attack got"}},
	}
	t.Cleanup(func() { costs.write(t) })
	for _, a := range allAttacks() {
		t.Run(a.name, func(t *testing.T) {
			s := newSiege(t, a, limit)
			clients := &users{t: t, scheme: s.scheme(), port: s.gate.Config.Port, issuers: s.issuers, again: a.crowd}
			clients.open()
			each := lasting(time.Minute)
			calm := clients.ask(t.Context(), each/4)
			attacked := s.besiege(a, clients, each)
			o := s.outcome(clients, calm, attacked)
			costs.rows = append(costs.rows, o.row(a.name, s.got))
			o.judge(t, limit, a.crowd)
		})
	}
}

// siege is a gate in a cgroup of its own.
type siege struct {
	t       *testing.T
	gate    *pod.Gate
	group   *cgroup
	issuers map[keys.Algorithm]token.Template

	mu  sync.Mutex
	got map[string]int // by the attack
	rss int64          // the peak so far, in bytes; also of a gate that has ended since
}

func newSiege(t *testing.T, a attack, limit int64) *siege {
	t.Helper()
	s := &siege{t: t, group: newCgroup(t, limit), issuers: map[keys.Algorithm]token.Template{}, got: map[string]int{}}
	s.gate = newGate(t, "gate", serve(t, backend))
	s.gate.RunBy(containedScript(), s.group.memory, s.group.cpu)
	c, usual := &s.gate.Config, defaultConfig(t)
	c.TLS, c.Limits, c.SessionBinding = a.tls, usual.Limits, usual.SessionBinding
	c.Providers[0].Algorithms = goodAlgorithms
	if a.rules {
		c.Authorization = policy(true)
	}
	s.gate.WriteConfig(t)
	s.gate.MountCertificate(t)
	var set []keys.Public
	for _, algorithm := range goodAlgorithms {
		key, err := keys.Generate(algorithm)
		must(t, err)
		s.issuers[algorithm] = token.Template{Key: key, Issuer: issuerName, Audience: issuerName, Subject: "somebody", Lifetime: time.Hour}
		set = append(set, key.Public())
	}
	s.gate.WriteKeys(t, providerName, set...)
	s.gate.Start(t)
	s.mustKnowItsLimit()
	return s
}

func (s *siege) scheme() string {
	if s.gate.Config.TLS {
		return "https"
	}
	return "http"
}

// besiege attacks for a while beside the good clients.
func (s *siege) besiege(a attack, clients *users, each time.Duration) *answered {
	ctx, stop := context.WithCancel(s.t.Context())
	var attacking sync.WaitGroup
	attacking.Go(func() { a.run(ctx, s) })
	attacking.Go(func() { s.watch(ctx) })
	got := clients.ask(ctx, each)
	stop()
	attacking.Wait()
	return got
}

// watch notes the peak of the memory, which nobody can read any more once the process has ended.
func (s *siege) watch(ctx context.Context) {
	for ; ctx.Err() == nil; wait(ctx, 100*time.Millisecond) {
		if memory, err := pod.MemoryOf(s.gate.PID); err == nil {
			s.mu.Lock()
			s.rss = max(s.rss, memory.Peak)
			s.mu.Unlock()
		}
	}
}

// tally counts what the attack got.
func (s *siege) tally(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got[what]++
}

func wait(ctx context.Context, pause time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
}
