package publication

import (
	"reflect"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Propagation is how long a pod may take to load what is published: a kubelet that nothing tells looks once in a minute or a
// minute and a half, at what it may keep in a cache for another minute.
const Propagation = 3 * time.Minute

// Version is what the gates of a server are given to load, as the operator made it. What stands in the cluster under the
// same names others may have written.
type Version struct {
	// Config and Lists are the ConfigMaps with the configuration, and with public keys and revocations.
	Config, Lists corev1.ConfigMap
	// Keys are those of each provider whose keys are mounted, as a gate uses them.
	Keys map[string][]keys.Public
}

// Has tells whether a key of a provider is among those that are published.
func (p Version) Has(provider, kid string) bool {
	return slices.ContainsFunc(p.Keys[provider], func(k keys.Public) bool { return k.ID == kid })
}

// Store remember what was published of each server since the operator started, so that what a gate says that it has
// loaded can be compared with it. Controller mcpserver writes, before gates can have it; controller authprobe reads.
type Store struct {
	mu      sync.Mutex
	servers map[types.NamespacedName]History
}

// History is what was published of a server. It is never changed. The zero value is that of a server that was not looked at.
type History struct {
	uid types.UID
	// begun is when the first was settled, and whole that nothing was published before it, by no other operator either.
	begun time.Time
	whole bool
	// all are in the order in which they were offered.
	all []publication
}

// publication is one of them. Gates may have it from the time at which it was offered, and are to until it was superseded.
type publication struct {
	Version

	settled, superseded time.Time
}

// maxHistory bounds what is remembered; what is forgotten is as foreign as what never was.
const maxHistory = 16

// Offer notes what is about to be published. whole tells that the server had no pods before, so that no other operator can
// have published anything to them.
func (p *Store) Offer(server *v1alpha1.MCPServer, offered Version, whole bool) {
	p.change(server, func(h History) History { return h.offer(offered, whole) })
}

// Settle notes that the last one offered is published: those before it are no more.
func (p *Store) Settle(server *v1alpha1.MCPServer, now time.Time) {
	p.change(server, func(h History) History { return h.settle(now) })
}

// Of gives the history of a server.
func (p *Store) Of(server *v1alpha1.MCPServer) History {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.servers[types.NamespacedName{Namespace: server.Namespace, Name: server.Name}]
	if h.uid != server.UID {
		return History{}
	}
	return h
}

// Forget drops a server that is gone.
func (p *Store) Forget(server types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.servers, server)
}

func (p *Store) change(server *v1alpha1.MCPServer, do func(History) History) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := types.NamespacedName{Namespace: server.Namespace, Name: server.Name}
	h := p.servers[name]
	if h.uid != server.UID {
		h = History{uid: server.UID}
	}
	if p.servers == nil {
		p.servers = map[types.NamespacedName]History{}
	}
	p.servers[name] = do(h)
}

func (h History) offer(offered Version, whole bool) History {
	if len(h.all) == 0 {
		h.whole = whole
	} else if reflect.DeepEqual(h.all[len(h.all)-1].Version, offered) {
		return h
	}
	// One that was never settled may have reached gates all the same, in part.
	h.all = append(slices.Clone(h.all), publication{Version: offered})
	h.all = h.all[max(0, len(h.all)-maxHistory):]
	return h
}

func (h History) settle(now time.Time) History {
	if h.begun.IsZero() {
		h.begun = now
	}
	h.all = slices.Clone(h.all)
	for i := range h.all {
		switch last := i == len(h.all)-1; {
		case last && h.all[i].settled.IsZero():
			h.all[i].settled = now
		case last:
		case h.all[i].superseded.IsZero():
			h.all[i].superseded = now
		}
	}
	return h
}

// Known tells whether gates can be held to it: this operator has published something. Where it could not, they have what one
// before it has published.
func (h History) Known() bool { return !h.begun.IsZero() }

// Newest gives what was offered last, and what is in force: the last that was settled. Each is nil if there is none.
func (h History) Newest() (offered, inForce *Version) {
	for i := range h.all {
		offered = &h.all[i].Version
		if !h.all[i].settled.IsZero() && h.all[i].superseded.IsZero() {
			inForce = offered
		}
	}
	return offered, inForce
}

// InForceSince is when what is in force was first published by this operator; false if nothing is.
func (h History) InForceSince() (time.Time, bool) {
	for _, known := range h.all {
		if !known.settled.IsZero() && known.superseded.IsZero() {
			return known.settled, true
		}
	}
	return time.Time{}, false
}

// Standing is how something that a gate has loaded stands to what was published.
type Standing int

const (
	// Current: it is published.
	Current Standing = iota
	// Recent: it was published until a moment ago, so that gates may have it still.
	Recent
	// Unsure: it was not published since this operator looks after the server, which is not long enough to know.
	Unsure
	// Outdated: it was published, and gates have had the time to drop it.
	Outdated
	// Foreign: it was never published.
	Foreign
)

// Stands gives the Standing of what matches tells in a publication, and when that was superseded if it is Recent or Outdated.
func (h History) Stands(matches func(Version) bool, now time.Time) (standing Standing, superseded time.Time) {
	standing = Foreign
	if !h.whole && now.Sub(h.begun) < Propagation {
		standing = Unsure
	}
	for _, known := range slices.Backward(h.all) {
		if !matches(known.Version) {
			continue
		}
		switch since := known.superseded; {
		case since.IsZero():
			return Current, since
		case now.Sub(since) < Propagation:
			return Recent, since
		default:
			return Outdated, since
		}
	}
	return standing, time.Time{}
}
