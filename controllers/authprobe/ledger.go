package authprobe

import (
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// entry is what is known of one pod.
type entry struct {
	// standing is what counts: the newest evidence that passed its threshold. Nil until there is one.
	standing *evidence
	// passing and failing count rounds in a row; one of them is 0. doubtful are those of the last that proved nothing.
	passing, failing, doubtful int
	// rounds counts all that came to a result.
	rounds int
	// instance and generation are what the evidence is about: another one is tried at once.
	instance   string
	generation int64
	// due is when to try next.
	due time.Time
	// full is the last proof of everything.
	full fullProof
	// around is what was found beside the gate last.
	around surroundings
	// bare is what its gate saw the server do without it; empty if that is not known.
	bare v1alpha1.BareServerResult
	// clients are how those of each provider fared at its gate.
	clients clients
	// certificate is the digest of the one that its gate showed last; empty without TLS.
	certificate string
	// withdrawn tells that its readiness gate was set by proof until its lock was seen open.
	withdrawn bool
	// turn is whose turn it is in the next round, and failures the questions that failed and are not refuted; strange are those
	// of rounds that had no good token.
	turn              probe.Turn
	failures, strange probe.Failures
	// hindered says why the last round that was due did not come about, or did not count; empty if it did.
	hindered string
	// urgent: a round is due that waits for no budget, and asks under each name of the Service.
	urgent bool
	// replay are tokens that were let in, to be refused once they have expired.
	replay probe.Replay
	// signer names the keys that signed them, and who judged.
	signer string
}

// isProven tells that the newest evidence that counts is a proof.
func (e entry) isProven() bool { return e.standing != nil && e.standing.grade == proven }

// learn is the entry after one more round.
func (e entry) learn(seen observation, settings desired.Probe, jitter float64) entry {
	if seen.asked != nil {
		e.turn, e.failures, e.strange = seen.asked.turn, seen.asked.failures, seen.asked.strange
	}
	e.hindered, e.urgent = "", false
	e = e.next(seen.evidence, settings)
	e.full = e.full.renewed(seen, jitter)
	if seen.bare != "" {
		e.bare = seen.bare
	}
	if seen.basis != "" {
		e.certificate = seen.certificate
	}
	if seen.replay != nil {
		e.replay, e.signer = *seen.replay, seen.signer
	}
	if seen.said != nil {
		e.clients = e.clients.hear(*seen.said)
	}
	if seen.around != nil {
		e.around = *seen.around
	}
	return e
}

// next is the entry after one more round, as far as the lock is concerned.
func (e entry) next(seen evidence, settings desired.Probe) entry {
	e.rounds++
	if seen.grade == proven {
		e.passing, e.failing, e.doubtful = e.passing+1, 0, 0
		recovering := e.standing != nil && e.standing.grade != proven
		if !recovering || e.passing >= settings.SuccessThreshold {
			e.standing = &seen
		}
		return e
	}
	e.passing, e.failing, e.doubtful = 0, e.failing+1, e.doubtful+1
	if seen.grade != unknown {
		e.doubtful = 0
	}
	if e.counts(seen, settings) {
		e.standing = &seen
	}
	return e
}

// counts tells that a round that proved nothing, or something against the lock, decides. What is confirmed counts at once: it
// was asked twice within the round, or in two rounds. What speaks against a lock is not forgotten for a hiccup, and as long as
// a question stands that failed, not at all.
func (e entry) counts(seen evidence, settings desired.Probe) bool {
	against := e.standing != nil && e.standing.grade > unknown
	if seen.grade == unknown && against {
		return e.doubtful >= settings.FailureThreshold && e.failures.Len()+e.strange.Len() == 0
	}
	return seen.grade == open || seen.atOnce || seen.confirmed || e.failing >= settings.FailureThreshold
}

// mendingDelay is the time to the round that may refute what was seen.
const mendingDelay = 2 * time.Second

// delay is the time to the next round. A pod that was never proven is asked soon, then ever less often: a pod must not
// wait an interval for its first traffic, and a server that fails must not be kept busy by us.
func (e entry) delay(settings desired.Probe, jitter float64) time.Duration {
	mending := func(f probe.Failure) bool { return f.Right > 0 }
	if slices.ContainsFunc(append(e.failures.All(), e.strange.All()...), mending) {
		return min(mendingDelay, settings.Interval) // what speaks against the pod stands only until it was asked once more
	}
	if e.isProven() {
		// A tenth of jitter keeps servers that were created together from being asked together for ever.
		return time.Duration(float64(settings.Interval) * (0.95 + jitter/10))
	}
	return min(time.Second<<min(e.rounds, 10), settings.Interval)
}

// respite is how long a pod is left alone in which another process answers: not at all, unless rounds have failed
// before. A server that each round takes down must not be asked at each of its starts.
func (e entry) respite(settings desired.Probe) time.Duration {
	if e.failing == 0 {
		return 0
	}
	return min(time.Second<<min(e.failing, 10), settings.Interval)
}

// ledger holds what is known of each server. It is a cache of evidence: what is lost is found out anew.
type ledger struct {
	mu      sync.Mutex
	servers map[types.NamespacedName]*record
}

// record is what is known of one server.
type record struct {
	// entries of its pods by UID.
	entries map[types.UID]entry
	// announced is what its last Event said: the status that is read from the cache may still be an older one.
	announced string
	// rejecting is what its last Event of that kind said.
	rejecting string
	// service is what is known of its Service.
	service serviceView
}

// load gives a copy of a server's entries, and what is known of its Service.
func (l *ledger) load(server types.NamespacedName) (map[types.UID]entry, serviceView) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.servers[server]; known != nil && known.entries != nil {
		return maps.Clone(known.entries), known.service
	}
	return map[types.UID]entry{}, serviceView{}
}

// store replaces what is known of a server.
func (l *ledger) store(server types.NamespacedName, entries map[types.UID]entry, service serviceView) {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.record(server)
	known.entries, known.service = entries, service
}

// announce tells whether this is news about the server, and remembers it.
func (l *ledger) announce(server types.NamespacedName, news string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return isNews(&l.record(server).announced, news)
}

// reject tells whether this is news about clients that are refused, and remembers it.
func (l *ledger) reject(server types.NamespacedName, news string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return isNews(&l.record(server).rejecting, news) && news != ""
}

// isNews tells whether something differs from what was remembered last, and remembers it.
func isNews(last *string, news string) bool {
	changed := *last != news
	*last = news
	return changed
}

// forget drops a server that is no more.
func (l *ledger) forget(server types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.servers, server)
}

// record gives the record of a server, a new one if need be; the lock is held.
func (l *ledger) record(server types.NamespacedName) *record {
	if l.servers == nil {
		l.servers = map[types.NamespacedName]*record{}
	}
	if l.servers[server] == nil {
		l.servers[server] = &record{}
	}
	return l.servers[server]
}
