package keyobservation

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
	"github.com/mcp-gatehouse/gatehouse/internal/requeue"
)

// stalePatience is how long gates may have something else than what is right in the object that they mount. A kubelet that is
// told to look, as with each change, does so within a second or two. One that keeps an immutable object never looks.
const stalePatience = 30 * time.Second

// Unlike notes that the gate of a pod has something else than what was published in an object that it mounts; an empty name is
// that it has not.
func (s *Store) Unlike(server *v1alpha1.MCPServer, pod types.UID, object string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.at(server, pod)
	if _, known := seen.unlike[object]; known || object == "" && len(seen.unlike) == 0 {
		return
	}
	seen.unlike = nil
	if object != "" {
		seen.unlike = map[string]time.Time{object: now}
	}
	s.tell(server)
}

// Stale gives the objects of which gates have something else for too long, and the time until to look again.
func (s *Store) Stale(server *v1alpha1.MCPServer, pods []corev1.Pod, now time.Time) (objects map[string]bool, again time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	objects = map[string]bool{}
	for _, pod := range pods {
		seen := s.servers[types.NamespacedName{Namespace: server.Namespace, Name: server.Name}][pod.UID]
		if seen == nil || pod.DeletionTimestamp != nil {
			continue
		}
		for name, since := range seen.unlike {
			if !podlock.GateMounts(pod.Spec, name) {
				continue // It is of an older template, and about to be replaced.
			}
			if left := since.Add(stalePatience).Sub(now); left > 0 {
				again = requeue.Sooner(again, left)
			} else {
				objects[name] = true
			}
		}
	}
	return objects, again
}
