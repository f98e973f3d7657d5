package probeid

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/mac"
)

// Recognizer tells, once a request is answered, whether it was a client's, or one of those that only try the gate: of the
// operator's prober, or of the self-test. It must never be asked before: a gate that knows its prober could be right with
// nobody else.
type Recognizer struct {
	podUID string
	pod    Audience
	own    Key // of the self-test; it needs no secret of others

	mu   sync.Mutex
	seen map[string]struct{}
	// ring holds the ids of seen in the order they came; next is where the oldest is.
	ring [maxSeen]string
	next int
}

// maxSeen are remembered, so that an id that somebody has read on the way does not hide another request. They are more
// than the prober sends within Lifetime, after which an id is worth nothing.
const maxSeen = 1024

// NewRecognizer returns the Recognizer of a gate in the pod with this UID.
func NewRecognizer(podUID string) (*Recognizer, error) {
	var secret [mac.SecretBytes]byte
	_, _ = rand.Read(secret[:]) // It never fails.
	own, err := NewKey(secret[:])
	return &Recognizer{podUID: podUID, pod: Pod(podUID), own: own, seen: map[string]struct{}{}}, err
}

// Keys are those of the prober, of all generations of the gate's secret that there are.
type Keys []Key

// NewKeys derives a Key from each secret.
func NewKeys(secrets ...[]byte) (Keys, error) {
	var out Keys
	for _, secret := range secrets {
		key, err := NewKey(secret)
		if err != nil {
			return nil, fmt.Errorf("know the prober: %w", err)
		}
		out = append(out, key)
	}
	return out, nil
}

// Mint makes an id for the self-test.
func (p *Recognizer) Mint(now time.Time) string {
	var random [RandomBytes]byte
	_, _ = rand.Read(random[:])
	return p.own.New(p.pod, now, random)
}

// Recognize reports whether the id of a request that came at this time is a probe's. Each is, once. An id that is good for
// every gate of the server may be read by whoever answers at the Service, so it stands for what the prober asks there and
// for nothing else: turnedAway tells that the request was refused because it had no token, or none that is one.
func (p *Recognizer) Recognize(prober Keys, id string, at time.Time, turnedAway bool) bool {
	to, known := p.own.Audience(id, at)
	known = known && to == p.pod
	for i := 0; i < len(prober) && !known; i++ {
		to, known = prober[i].Audience(id, at)
		known = known && (to == p.pod && p.podUID != "" || to == AnyPod() && turnedAway)
	}
	return known && p.isFirst(id)
}

func (p *Recognizer) isFirst(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, again := p.seen[id]; again {
		return false
	}
	delete(p.seen, p.ring[p.next])
	p.seen[id] = struct{}{}
	p.ring[p.next] = id
	p.next = (p.next + 1) % maxSeen
	return true
}
