package serverobjects

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
	"github.com/mcp-gatehouse/gatehouse/controllers/ssa"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/network"
)

// Applier applies the objects of servers.
type Applier struct {
	Client  client.Client
	Live    client.Reader
	Events  events.EventRecorder
	Applied *ssa.Applied
}

// Standing is what is known of the objects of one server as they stand.
type Standing struct {
	// Versions of the Secrets with what was made from them, by name: a write on top of an older version must fail.
	Versions map[string]string
	// Kept are the objects of which gates have something else for longer than it takes them to load what is there.
	Kept map[string]bool
	// Deployment is nil before the first apply.
	Deployment *appsv1.Deployment
	// Routes reads HTTPRoutes; nil where the cluster has none, or nobody wants one.
	Routes client.Reader
}

func (a Applier) engine() *ssa.Engine {
	return &ssa.Engine{Client: a.Client, Live: a.Live, FieldOwner: owned.FieldOwner, Applied: a.Applied}
}

func ownerOf(server *v1alpha1.MCPServer) ssa.Owner {
	return ssa.Owner{
		Name: client.ObjectKeyFromObject(server),
		Owns: func(object client.Object) bool { return desired.Owns(server, object) },
	}
}

// Apply brings one object to what is desired. What only a user can mend is a *terminal.Error; an object that must get another
// name is a *SpoiltError.
func (a Applier) Apply(ctx context.Context, server *v1alpha1.MCPServer, object runtime.ApplyConfiguration, there Standing) error {
	cached := client.Reader(a.Client)
	if _, isRoute := object.(*network.HTTPRouteApplyConfiguration); isRoute {
		cached = there.Routes
	}
	_, err := a.engine().Apply(ctx, ssa.Call{
		Owner: ownerOf(server), Object: object, Cached: cached, Versions: there.Versions,
		Refuse: func(existing client.Object, wanted *unstructured.Unstructured) error {
			if why := spoiltBy(server, existing, wanted, there); why != "" {
				return &SpoiltError{wanted, why}
			}
			return nil
		},
		Verify: func(wanted, got *unstructured.Unstructured, live client.Object) error {
			return tampered(server, wanted, got, live)
		},
		Undone: func(wanted *unstructured.Unstructured, edits map[string][]string) {
			a.tellUndone(server, wanted, edits)
		},
	})
	return Mendable(server, err)
}

// Prune deletes the object of a kind that the spec does not ask for any more. Where the cluster has no HTTPRoutes there is none.
func (a Applier) Prune(ctx context.Context, server *v1alpha1.MCPServer, kind schema.GroupVersionKind, there Standing) error {
	if kind != network.HTTPRouteKind {
		return a.engine().Prune(ctx, ownerOf(server), kind, a.Client)
	}
	if there.Routes == nil {
		return nil
	}
	return a.engine().Prune(ctx, ownerOf(server), kind, there.Routes)
}

// undone says that edits by hand were taken out of an object, and what to do instead.
func undone(object string, edits map[string][]string) string {
	const shown = 3
	var who []string
	for _, manager := range slices.Sorted(maps.Keys(edits)) {
		fields := ssa.Outermost(edits[manager])
		more := ""
		if len(fields) > shown {
			more = fmt.Sprintf(" and %d more", len(fields)-shown)
			fields = fields[:shown]
		}
		who = append(who, fmt.Sprintf("%s%s by %s", strings.Join(fields, ", "), more, manager))
	}
	return fmt.Sprintf("%s was changed past this MCPServer, and is put right: %s. Change the spec of the MCPServer; what has no field there cannot be set.",
		object, strings.Join(who, "; "))
}

// tellUndone sends an Event about edits by hand that were undone. It names the object as related: Events that differ in their
// words alone become one.
func (a Applier) tellUndone(server *v1alpha1.MCPServer, object *unstructured.Unstructured, edits map[string][]string) {
	a.Events.Eventf(server, object, corev1.EventTypeWarning, v1alpha1.EventManualEditReverted, "Reconcile", "%s", undone(ssa.NameOf(object), edits))
}
