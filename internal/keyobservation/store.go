package keyobservation

import (
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
)

// Store are what pods were seen to do with keys: to accept or to refuse those of Managed providers, and to have loaded
// those of any. Controller authprobe asks and writes; rotations and the status read.
//
// They are kept in memory alone: whoever may write to pods must not be able to make a rotation go on, and what an operator
// forgets when it ends the next one asks again.
type Store struct {
	mu      sync.Mutex
	servers map[types.NamespacedName]map[types.UID]*observation
	// steps are those at which the key sets were read last.
	steps map[types.NamespacedName]int64
	News  chan event.GenericEvent
}

// observation is of one pod.
type observation struct {
	// accepts and refuses have, for each kid, the step of the key set as it was before the pod was asked.
	accepts, refuses map[string]int64
	// told is what its gate says of what it has loaded, as it was told last; nil: nothing yet.
	told *Report
	// absence is the last of what its gates said that names what listens instead of the server: a server that was ended for
	// it listens nowhere. It is over once the server listens as it must.
	absence *diagnosis.Absence
	// missing is, by provider, since when its gate has said without a break that it has no keys.
	missing map[string]time.Time
	// unlike is, by the name of the object that it mounts, since when its gate was seen to have something else than was
	// published there.
	unlike map[string]time.Time
}

// Report is what the gate of a pod says that it has loaded.
type Report struct {
	// Keys are the kids by provider.
	Keys map[string][]string
	// Unserved has for each provider without keys why, as far as the gate knows.
	Unserved map[string]string
	// Secrets are the generations of the gate's secret.
	Secrets admin.SecretIDs
	// Absence is of the server behind it; nil where that listens as it must.
	Absence *diagnosis.Absence
}

func (t Report) equal(other Report) bool {
	return maps.EqualFunc(t.Keys, other.Keys, slices.Equal) && maps.Equal(t.Unserved, other.Unserved) && t.Secrets == other.Secrets &&
		(t.Absence == nil) == (other.Absence == nil) && (t.Absence == nil || t.Absence.Equal(*other.Absence))
}

// newsBuffer is how many servers can have news that nobody has read. News that find no room are not lost: a rotation that
// waits is looked at again by itself.
const newsBuffer = 1024

// NewStore gives an empty store.
func NewStore() *Store {
	return &Store{
		servers: map[types.NamespacedName]map[types.UID]*observation{},
		steps:   map[types.NamespacedName]int64{},
		News:    make(chan event.GenericEvent, newsBuffer),
	}
}

// Add notes that a pod accepted a key, or refused it, when the key set was at a step.
func (s *Store) Add(server *v1alpha1.MCPServer, pod types.UID, kid string, step int64, accepted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.at(server, pod)
	if accepted {
		seen.accepts[kid] = step
	} else {
		seen.refuses[kid] = step
	}
	s.tell(server)
}

// Load notes what a pod's gate said that it has loaded.
func (s *Store) Load(server *v1alpha1.MCPServer, pod types.UID, told Report, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.at(server, pod)
	if seen.told != nil && seen.told.equal(told) {
		return
	}
	seen.told = &told
	if told.Absence == nil || seen.absence == nil || len(told.Absence.Others) > 0 {
		seen.absence = told.Absence
	}
	since := map[string]time.Time{}
	for provider := range told.Unserved {
		since[provider] = now
		if before, found := seen.missing[provider]; found {
			since[provider] = before
		}
	}
	seen.missing = since
	s.tell(server)
}

// at returns the observation of a pod, to be added to.
func (s *Store) at(server *v1alpha1.MCPServer, pod types.UID) *observation {
	name := types.NamespacedName{Namespace: server.Namespace, Name: server.Name}
	if s.servers[name] == nil {
		s.servers[name] = map[types.UID]*observation{}
	}
	if s.servers[name][pod] == nil {
		s.servers[name][pod] = &observation{accepts: map[string]int64{}, refuses: map[string]int64{}}
	}
	return s.servers[name][pod]
}

// tell makes the server be looked at.
func (s *Store) tell(server *v1alpha1.MCPServer) {
	select {
	case s.News <- event.GenericEvent{Object: server.DeepCopy()}:
	default:
	}
}

// Follow forgets what was seen before a key set that has gone back, because a backup was restored: its steps are others.
func (s *Store) Follow(server types.NamespacedName, step int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if step < s.steps[server] {
		delete(s.servers, server)
	}
	s.steps[server] = step
}

// Of gives what a pod was seen to accept and to refuse.
func (s *Store) Of(server types.NamespacedName, pod types.UID) (accepts, refuses map[string]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.servers[server][pod]
	if seen == nil {
		return nil, nil
	}
	return maps.Clone(seen.accepts), maps.Clone(seen.refuses)
}

// Loaded gives how many of the pods have a key loaded, by provider and kid, and whether each of them has told.
func (s *Store) Loaded(server types.NamespacedName, pods []corev1.Pod) (counts map[string]map[string]int32, complete bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts, complete = map[string]map[string]int32{}, true
	for _, pod := range pods {
		seen := s.servers[server][pod.UID]
		if seen == nil || seen.told == nil {
			complete = false
			continue
		}
		for provider, kids := range seen.told.Keys {
			if counts[provider] == nil {
				counts[provider] = map[string]int32{}
			}
			for _, kid := range kids {
				counts[provider][kid]++
			}
		}
	}
	return counts, complete
}

// Secrets gives what a pod's gate said of its secrets; empty if nothing.
func (s *Store) Secrets(server types.NamespacedName, pod types.UID) admin.SecretIDs {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seen := s.servers[server][pod]; seen != nil && seen.told != nil {
		return seen.told.Secrets
	}
	return admin.SecretIDs{}
}

// Missing gives the providers that gates of these pods cannot serve.
func (s *Store) Missing(server types.NamespacedName, pods []corev1.Pod) Missing {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Missing{}
	for _, pod := range pods {
		seen := s.servers[server][pod.UID]
		if seen == nil || pod.DeletionTimestamp != nil {
			continue
		}
		for provider, since := range seen.missing {
			out[provider] = append(out[provider], MissingOn{pod.Name, seen.told.Unserved[provider], since})
		}
	}
	return out
}

// Absences gives, by pod, what listens where the server does not; what a pod's gate has not said is not there.
func (s *Store) Absences(server types.NamespacedName) map[types.UID]diagnosis.Absence {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[types.UID]diagnosis.Absence{}
	for uid, seen := range s.servers[server] {
		if seen.absence != nil {
			out[uid] = *seen.absence
		}
	}
	return out
}

// Keep forgets all pods of a server but those that exist. A server without any is forgotten.
func (s *Store) Keep(server types.NamespacedName, pods []corev1.Pod) {
	s.mu.Lock()
	defer s.mu.Unlock()
	exist := map[types.UID]bool{}
	for _, pod := range pods {
		exist[pod.UID] = true
	}
	maps.DeleteFunc(s.servers[server], func(uid types.UID, _ *observation) bool { return !exist[uid] })
	if len(s.servers[server]) == 0 {
		delete(s.servers, server)
	}
	if len(pods) == 0 {
		delete(s.steps, server)
	}
}
