package authprobe

import (
	"maps"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/servicehealth"
)

// findingStore holds what is known of each server. It is a cache of evidence: what is lost is found out anew.
type findingStore struct {
	mu      sync.Mutex
	servers map[types.NamespacedName]*serverFindings
}

// serverFindings is what is known of one server.
type serverFindings struct {
	// findings of its pods by UID.
	findings authhealth.Findings
	// announced is what its last Event said: the status that is read from the cache may still be an older one.
	announced string
	// rejecting is what its last Event of that kind said.
	rejecting string
	// service is what is known of its Service.
	service servicehealth.View
}

// load returns a copy of the findings about a server's pods, and what is known of its Service.
func (l *findingStore) load(server types.NamespacedName) (authhealth.Findings, servicehealth.View) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.servers[server]; known != nil && known.findings != nil {
		return maps.Clone(known.findings), known.service
	}
	return authhealth.Findings{}, servicehealth.View{}
}

// store replaces what is known of a server.
func (l *findingStore) store(server types.NamespacedName, findings authhealth.Findings, service servicehealth.View) {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.record(server)
	known.findings, known.service = findings, service
}

// announce tells whether this is news about the server, and remembers it.
func (l *findingStore) announce(server types.NamespacedName, news string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return isNews(&l.record(server).announced, news)
}

// reject tells whether this is news about clients that are refused, and remembers it.
func (l *findingStore) reject(server types.NamespacedName, news string) bool {
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
func (l *findingStore) forget(server types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.servers, server)
}

// record gives the record of a server, a new one if need be; the lock is held.
func (l *findingStore) record(server types.NamespacedName) *serverFindings {
	if l.servers == nil {
		l.servers = map[types.NamespacedName]*serverFindings{}
	}
	if l.servers[server] == nil {
		l.servers[server] = &serverFindings{}
	}
	return l.servers[server]
}
