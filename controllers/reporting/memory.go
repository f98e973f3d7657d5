package reporting

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// Memory remembers what was told of servers and written into their status, so that it is not told or written again, and the
// names of their objects until the cache knows them. It is lost with the process.
type Memory struct {
	mu sync.Mutex
	// told is what was told last of each server's conditions, by their type, and written its last status.
	told    map[types.NamespacedName]map[string]string
	written map[types.NamespacedName]written
	// renamed are the servers as they were when one of their objects got another name last.
	renamed map[types.NamespacedName]*v1alpha1.MCPServer
}

// written is a status, and the version of the MCPServer that it was made from.
type written struct {
	version string
	status  v1alpha1.MCPServerStatus
}

// Forget drops an MCPServer that is gone.
func (r *Memory) Forget(server types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.told, server)
	delete(r.written, server)
	delete(r.renamed, server)
}

// Rename remembers by which names the objects of a server go, until the cache knows it.
func (r *Memory) Rename(server *v1alpha1.MCPServer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.renamed == nil {
		r.renamed = map[types.NamespacedName]*v1alpha1.MCPServer{}
	}
	r.renamed[client.ObjectKeyFromObject(server)] = server.DeepCopy()
}

// KnowNames puts into a server that was read the names that its objects go by, where it was read before they got them.
func (r *Memory) KnowNames(server *v1alpha1.MCPServer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.renamed[client.ObjectKeyFromObject(server)]
	if known == nil || known.UID != server.UID || equality.Semantic.DeepEqual(known.Status.Renamed, server.Status.Renamed) {
		delete(r.renamed, client.ObjectKeyFromObject(server))
		return
	}
	server.Status.Renamed = slices.Clone(known.Status.Renamed)
}

// isWritten tells that a status was written already, though the cache does not know it yet: nothing is newer there than
// what the status was made from then. When conditions have changed says nothing, as it would be taken for now again.
func (r *Memory) isWritten(server *v1alpha1.MCPServer, wanted v1alpha1.MCPServerStatus) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.written[client.ObjectKeyFromObject(server)]
	return last.version == server.ResourceVersion && equality.Semantic.DeepEqual(last.status, timeless(wanted))
}

// wrote remembers the status that was made of an MCPServer as it was read.
func (r *Memory) wrote(server *v1alpha1.MCPServer, status v1alpha1.MCPServerStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.written == nil {
		r.written = map[types.NamespacedName]written{}
	}
	r.written[client.ObjectKeyFromObject(server)] = written{server.ResourceVersion, timeless(status)}
}

func timeless(status v1alpha1.MCPServerStatus) v1alpha1.MCPServerStatus {
	status.Conditions = slices.Clone(status.Conditions)
	for i := range status.Conditions {
		status.Conditions[i].LastTransitionTime = metav1.Time{}
	}
	return status
}

// tell tells whether what a condition says is news, and remembers it. Where nothing was told yet, before counts as told.
func (r *Memory) tell(server types.NamespacedName, condition, before, now string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last, found := r.told[server][condition]; found {
		before = last
	}
	if r.told == nil {
		r.told = map[types.NamespacedName]map[string]string{}
	}
	if r.told[server] == nil {
		r.told[server] = map[string]string{}
	}
	r.told[server][condition] = now
	return before != now
}
