package mcpserver

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// standing remembers what was applied and what came of it, so that an object which stands as it did is not applied
// again, and what was told, so that it is not told again. It is lost with the process; then each object is applied once
// more, which changes nothing.
type standing struct {
	mu      sync.Mutex
	servers map[types.NamespacedName]map[string]stand
	// told is what was told last of each server's conditions, by their type, and written its last status.
	told    map[types.NamespacedName]map[string]string
	written map[types.NamespacedName]written
}

// written is a status, and the version of the MCPServer that it was made from.
type written struct {
	version string
	status  v1alpha1.MCPServerStatus
}

// stand is one object as it was after it was applied.
type stand struct {
	wanted, live digest
	// version saves computing the digest of an object that nobody has touched at all.
	version string
}

type digest [sha256.Size]byte

// of tells whether an object is still what came of applying what is wanted. The status is not looked at: it is not
// applied, and others write it all the time.
func (s *standing) of(server types.NamespacedName, wanted *unstructured.Unstructured, live client.Object) (bool, error) {
	sum, err := digestOf(wanted)
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	last, found := s.servers[server][nameOf(wanted)]
	s.mu.Unlock()
	switch {
	case !found || last.wanted != sum:
		return false, nil
	case last.version == live.GetResourceVersion():
		return true, nil
	}
	now, err := digestLive(live)
	return now == last.live, err
}

// keep remembers an object as the API server gave it back.
func (s *standing) keep(server types.NamespacedName, wanted *unstructured.Unstructured, live client.Object) error {
	sum, err := digestOf(wanted)
	if err != nil {
		return err
	}
	now, err := digestLive(live)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.servers == nil {
		s.servers = map[types.NamespacedName]map[string]stand{}
	}
	if s.servers[server] == nil {
		s.servers[server] = map[string]stand{}
	}
	s.servers[server][nameOf(wanted)] = stand{wanted: sum, live: now, version: live.GetResourceVersion()}
	return nil
}

// forget drops an MCPServer that is gone.
func (s *standing) forget(server types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.servers, server)
	delete(s.told, server)
	delete(s.written, server)
}

// isWritten tells that a status was written already, though the cache does not know it yet: nothing is newer there than
// what the status was made from then. When conditions have changed says nothing, as it would be taken for now again.
func (s *standing) isWritten(server *v1alpha1.MCPServer, wanted v1alpha1.MCPServerStatus) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.written[client.ObjectKeyFromObject(server)]
	return last.version == server.ResourceVersion && equality.Semantic.DeepEqual(last.status, timeless(wanted))
}

// wrote remembers the status that was made of an MCPServer as it was read.
func (s *standing) wrote(server *v1alpha1.MCPServer, status v1alpha1.MCPServerStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.written == nil {
		s.written = map[types.NamespacedName]written{}
	}
	s.written[client.ObjectKeyFromObject(server)] = written{server.ResourceVersion, timeless(status)}
}

func timeless(status v1alpha1.MCPServerStatus) v1alpha1.MCPServerStatus {
	status.Conditions = slices.Clone(status.Conditions)
	for i := range status.Conditions {
		status.Conditions[i].LastTransitionTime = metav1.Time{}
	}
	return status
}

// tell tells whether what a condition says is news, and remembers it. Where nothing was told yet, before counts as told.
func (s *standing) tell(server types.NamespacedName, condition, before, now string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, found := s.told[server][condition]; found {
		before = last
	}
	if s.told == nil {
		s.told = map[types.NamespacedName]map[string]string{}
	}
	if s.told[server] == nil {
		s.told[server] = map[string]string{}
	}
	s.told[server][condition] = now
	return before != now
}

func digestOf(object any) (digest, error) {
	data, err := json.Marshal(object)
	if err != nil {
		return digest{}, fmt.Errorf("encode %T: %w", object, err)
	}
	return sha256.Sum256(data), nil
}

// digestLive is of everything that somebody could have put there to stay.
func digestLive(live client.Object) (digest, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return digest{}, fmt.Errorf("encode %T: %w", live, err)
	}
	content = runtime.DeepCopyJSON(content)
	for _, field := range []string{"apiVersion", "kind", "status"} {
		delete(content, field)
	}
	if metadata, ok := content["metadata"].(map[string]any); ok {
		for _, field := range []string{"resourceVersion", "generation", "managedFields"} {
			delete(metadata, field)
		}
	}
	return digestOf(content)
}
