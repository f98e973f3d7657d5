package mcpserver

import (
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// Sightings are what pods were seen to do with keys of Managed providers. Controller authprobe asks and writes, a
// rotation reads.
//
// They are kept in memory alone: whoever may write to pods must not be able to make a rotation go on, and what an operator
// forgets when it ends the next one asks again.
type Sightings struct {
	mu      sync.Mutex
	servers map[types.NamespacedName]map[types.UID]sighting
	// steps are those at which the key sets were read last.
	steps map[types.NamespacedName]int64
	news  chan event.GenericEvent
}

// sighting is of one pod: for each kid, the step of the key set as it was before the pod was asked.
type sighting struct{ accepts, refuses map[string]int64 }

// newsBuffer is how many servers can have news that nobody has read. News that find no room are not lost: a rotation that
// waits is looked at again by itself.
const newsBuffer = 1024

// NewSightings gives an empty store.
func NewSightings() *Sightings {
	return &Sightings{
		servers: map[types.NamespacedName]map[types.UID]sighting{},
		steps:   map[types.NamespacedName]int64{},
		news:    make(chan event.GenericEvent, newsBuffer),
	}
}

// Add notes that a pod accepted a key, or refused it, when the key set was at a step.
func (s *Sightings) Add(server *v1alpha1.MCPServer, pod types.UID, kid string, step int64, accepted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := types.NamespacedName{Namespace: server.Namespace, Name: server.Name}
	if s.servers[name] == nil {
		s.servers[name] = map[types.UID]sighting{}
	}
	seen, found := s.servers[name][pod]
	if !found {
		seen = sighting{map[string]int64{}, map[string]int64{}}
		s.servers[name][pod] = seen
	}
	if accepted {
		seen.accepts[kid] = step
	} else {
		seen.refuses[kid] = step
	}
	select {
	case s.news <- event.GenericEvent{Object: server.DeepCopy()}:
	default:
	}
}

// follow forgets what was seen before a key set that has gone back, because a backup was restored: its steps are others.
func (s *Sightings) follow(server types.NamespacedName, step int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if step < s.steps[server] {
		delete(s.servers, server)
	}
	s.steps[server] = step
}

// Of gives what a pod was seen to accept and to refuse.
func (s *Sightings) Of(server types.NamespacedName, pod types.UID) (accepts, refuses map[string]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.servers[server][pod]
	return maps.Clone(seen.accepts), maps.Clone(seen.refuses)
}

// Keep forgets all pods of a server but those that exist. A server without any is forgotten.
func (s *Sightings) Keep(server types.NamespacedName, pods []corev1.Pod) {
	s.mu.Lock()
	defer s.mu.Unlock()
	exist := map[types.UID]bool{}
	for _, pod := range pods {
		exist[pod.UID] = true
	}
	maps.DeleteFunc(s.servers[server], func(uid types.UID, _ sighting) bool { return !exist[uid] })
	if len(s.servers[server]) == 0 {
		delete(s.servers, server)
	}
	if len(pods) == 0 {
		delete(s.steps, server)
	}
}
