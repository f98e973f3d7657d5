package watches

import (
	"context"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// The queue has two classes. A server that this controller has not looked at, as its status says, waits behind all that are
// under way: of a thousand that are created at once each is Ready soon after it was begun, instead of all at the end. The
// others take a look that costs no request when nothing has changed, so newcomers wait for work that comes to an end. What
// there is when the operator starts is of the lower class as well; that is the library's doing.

// UnderWay is the class of a server that was looked at; handler.LowPriority is that of all others.
var UnderWay = ptr.To(0)

// isNewcomer tells that this controller has not looked at a server yet.
func isNewcomer(object client.Object) bool {
	server, ok := object.(*v1alpha1.MCPServer)
	return ok && server.Status.ObservedGeneration == 0
}

// LookedAt passes the events of servers that were looked at, and of all that are gone.
var LookedAt = predicate.Funcs{
	CreateFunc: func(e event.CreateEvent) bool { return !isNewcomer(e.Object) },
	UpdateFunc: func(e event.UpdateEvent) bool { return !isNewcomer(e.ObjectNew) },
}

// Newcomers queues servers that were not looked at, behind the others.
func Newcomers() handler.EventHandler {
	last := func(queue workqueue.TypedRateLimitingInterface[reconcile.Request], object client.Object) {
		ordered, ok := queue.(priorityqueue.PriorityQueue[reconcile.Request])
		if ok && isNewcomer(object) {
			ordered.AddWithOpts(priorityqueue.AddOpts{Priority: ptr.To(handler.LowPriority)},
				reconcile.Request{NamespacedName: client.ObjectKeyFromObject(object)})
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			last(queue, e.Object)
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			last(queue, e.ObjectNew)
		},
	}
}
