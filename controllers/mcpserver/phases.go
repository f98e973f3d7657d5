package mcpserver

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/serverobjects"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/serverstatus"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
)

// phase is a step of a reconciliation. It works on what those before it have put into seen.
type phase func(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error

// phases are all the steps, in their order.
func (r *Reconciler) phases() []phase {
	look := r.observer()
	return []phase{
		// What there is.
		look.workload, look.published, look.route, look.gateSecret, look.schemas, look.managedKeys, look.cluster, look.probeKey, look.brought,
		// What there is to be, and what gates may load from now on.
		r.desire, r.offer,
		// What is done about it.
		r.apply, r.prune, r.refresh,
		// What is wrong all the same.
		r.judgeRoute,
	}
}

// goThrough takes the phases up to the first that fails. What was seen until then is told.
func (r *Reconciler) goThrough(ctx context.Context, server *v1alpha1.MCPServer) (observed, error) {
	seen := observed{Seen: serverstatus.Seen{Versions: map[string]string{}, Public: map[string][]keys.Public{}}}
	for _, step := range r.phases() {
		if err := step(ctx, server, &seen); err != nil {
			return seen, err
		}
	}
	return seen, nil
}

// Reconcile brings one MCPServer's objects to what its spec asks for, and its status to what was seen.
//
// There is no finalizer: every object is owned, and goes with the MCPServer.
func (r *Reconciler) Reconcile(ctx context.Context, server *v1alpha1.MCPServer) (ctrl.Result, error) {
	// Whatever comes of this, no other server need wait until this one was looked at.
	defer r.Rollout.Seen(client.ObjectKeyFromObject(server))
	if !server.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	r.reported.KnowNames(server)
	seen, err := r.carryOut(ctx, server)
	_, seen.Published = r.Publications.Of(server).Newest()
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		// The cache was behind; its next event brings us back as well.
		return ctrl.Result{RequeueAfter: time.Second}, nil
	}
	var late error
	if err != nil {
		late = r.publisher().Revoke(ctx, server, &seen.Seen)
	}
	var wrong *terminal.Error
	switch {
	case errors.As(err, &wrong):
		return ctrl.Result{RequeueAfter: retryAfter}, errors.Join(r.report(ctx, server, seen, wrong), transient(late))
	case err != nil:
		return ctrl.Result{}, errors.Join(err, late)
	default:
		if news := seen.GateSecret.News(); news != "" {
			r.Events.Eventf(server, nil, corev1.EventTypeNormal, v1alpha1.EventGateSecretRotated, "Reconcile", "%s", news)
		}
		return ctrl.Result{RequeueAfter: lookAgain(server, seen, r.Now())}, r.report(ctx, server, seen, nil)
	}
}

// transient is an error that passes by itself; nil for what only a user can mend.
func transient(err error) error {
	var wrong *terminal.Error
	if errors.As(err, &wrong) {
		return nil
	}
	return err
}

// carryOut goes through the phases; once more where one of its objects has got another name.
func (r *Reconciler) carryOut(ctx context.Context, server *v1alpha1.MCPServer) (observed, error) {
	for {
		seen, err := r.goThrough(ctx, server)
		var which *serverobjects.SpoiltError
		if !errors.As(err, &which) {
			return seen, err
		}
		// An object that has just got a name keeps it for a while, so this comes to an end.
		if err := r.renamer().Rename(ctx, server, which, r.Now()); err != nil {
			return seen, err
		}
	}
}
