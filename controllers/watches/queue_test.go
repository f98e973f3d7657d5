package watches

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

func lookedAt(name string, observed int64) *v1alpha1.MCPServer {
	out := &v1alpha1.MCPServer{}
	out.Namespace, out.Name, out.Status.ObservedGeneration = "n", name, observed
	return out
}

// A server that is under way is looked at before all that nobody has looked at, however long those have waited.
func TestNewcomersComeLast(t *testing.T) {
	queue := priorityqueue.New[reconcile.Request]("test")
	defer queue.ShutDown()
	fresh := Newcomers()
	for _, name := range []string{"a", "b", "c"} {
		fresh.Create(t.Context(), event.CreateEvent{Object: lookedAt(name, 0)}, queue)
	}
	// The prober's word on a newcomer, or a change of its spec, does not bring it forward.
	fresh.Update(t.Context(), event.UpdateEvent{ObjectOld: lookedAt("b", 0), ObjectNew: lookedAt("b", 0)}, queue)
	fresh.Update(t.Context(), event.UpdateEvent{ObjectOld: lookedAt("known", 1), ObjectNew: lookedAt("known", 1)}, queue)
	// A child of c has changed: it was begun.
	queue.Add(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "n", Name: "c"}})
	for i, want := range []string{"c", "a", "b"} {
		got, class, _ := queue.GetWithPriority()
		if got.Name != want {
			t.Errorf("%s comes at place %d, want %s", got.Name, i, want)
		}
		if (class == *UnderWay) != (want == "c") {
			t.Errorf("%s is of class %d", got.Name, class)
		}
	}
	if queue.Len() > 0 {
		t.Errorf("%d more are queued", queue.Len())
	}
}

// Each event of an MCPServer goes one way, and that of its end the quick one.
func TestEachEventIsQueuedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		object *v1alpha1.MCPServer
		quick  bool
	}{
		"not looked at": {lookedAt("a", 0), false},
		"looked at":     {lookedAt("a", 3), true},
	} {
		queue := priorityqueue.New[reconcile.Request]("test")
		defer queue.ShutDown()
		created, updated := event.CreateEvent{Object: c.object}, event.UpdateEvent{ObjectOld: lookedAt("a", 0), ObjectNew: c.object}
		Newcomers().Create(t.Context(), created, queue)
		Newcomers().Update(t.Context(), updated, queue)
		Newcomers().Delete(t.Context(), event.DeleteEvent{Object: c.object}, queue)
		if slow := queue.Len() > 0; slow == c.quick || LookedAt.Create(created) != c.quick || LookedAt.Update(updated) != c.quick {
			t.Errorf("%s: queued behind: %v; known: %v, %v", name, slow, LookedAt.Create(created), LookedAt.Update(updated))
		}
		if !LookedAt.Delete(event.DeleteEvent{Object: c.object}) {
			t.Errorf("%s: its end goes unnoticed", name)
		}
	}
}
