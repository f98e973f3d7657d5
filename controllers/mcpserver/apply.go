package mcpserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
	"github.com/mcp-gatehouse/gatehouse/internal/redact"
)

// apply brings one object to what is desired, and never takes over what belongs to somebody else: what our cache does not
// have is created, which fails if it exists after all; what exists and is ours is applied under its UID, which fails if it
// was replaced in between. What stands as the last apply left it is not written. It gives the object as it is now.
func (r *Reconciler) apply(ctx context.Context, server *v1alpha1.MCPServer, object runtime.ApplyConfiguration, seen observed) (client.Object, error) {
	wanted, err := toUnstructured(object)
	if err != nil {
		return nil, err
	}
	existing, err := r.read(ctx, r.cached(wanted.GroupVersionKind(), seen), wanted)
	switch {
	case apierrors.IsNotFound(err):
		return r.create(ctx, server, wanted, seen)
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", nameOf(wanted), err)
	}
	return r.renew(ctx, server, existing, wanted, seen)
}

// create makes an object that our cache does not have. Whatever is said against that, the object may be there: ours without
// our label, or newer than the cache.
func (r *Reconciler) create(ctx context.Context, server *v1alpha1.MCPServer, wanted *unstructured.Unstructured, seen observed) (client.Object, error) {
	made := wanted.DeepCopy()
	refused := r.Create(ctx, made, FieldOwner)
	if refused == nil {
		return r.settle(server, wanted, made)
	}
	existing, err := r.read(ctx, r.Live, wanted)
	switch {
	case apierrors.IsNotFound(err):
		return nil, refusal("create "+nameOf(wanted), refused)
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", nameOf(wanted), err)
	}
	return r.renew(ctx, server, existing, wanted, seen)
}

// renew applies an object that exists, if it is ours.
func (r *Reconciler) renew(ctx context.Context, server *v1alpha1.MCPServer, existing client.Object, wanted *unstructured.Unstructured, seen observed) (client.Object, error) {
	if !metav1.IsControlledBy(existing, server) {
		return nil, &problem{v1alpha1.ConditionAccepted, v1alpha1.ReasonNameTaken, fmt.Sprintf(
			"%s exists and does not belong to this MCPServer, so it is left alone. Delete or rename it, or give the MCPServer another name.", nameOf(wanted))}
	}
	if stands, err := r.standing.of(client.ObjectKeyFromObject(server), wanted, existing); err != nil || stands {
		return existing, err
	}
	// Keys that were made or turned since they were read are not to be replaced.
	version, held := seen.versions[wanted.GetName()]
	held = held && wanted.GetKind() == "Secret"
	if held && version != existing.GetResourceVersion() {
		return nil, apierrors.NewConflict(corev1.Resource("secrets"), wanted.GetName(), errors.New("it was written since it was read"))
	}
	if err := r.makeOurs(ctx, existing, wanted); err != nil {
		return nil, err
	}
	asked := wanted.DeepCopy()
	asked.SetUID(existing.GetUID())
	if held {
		asked.SetResourceVersion(existing.GetResourceVersion())
	}
	if err := r.Apply(ctx, client.ApplyConfigurationFromUnstructured(asked), FieldOwner, client.ForceOwnership); err != nil {
		return nil, refusal("apply "+nameOf(wanted), err)
	}
	return r.settle(server, wanted, asked)
}

func nameOf(object *unstructured.Unstructured) string {
	return object.GetKind() + " " + object.GetName()
}

// makeOurs takes out what others have put where it must not be, and makes what others own of an object ours.
func (r *Reconciler) makeOurs(ctx context.Context, existing client.Object, wanted *unstructured.Unstructured) error {
	if err := r.removeForeign(ctx, existing, wanted); err != nil {
		return err
	}
	return r.takeOver(ctx, existing)
}

// settle looks at what the API server made of an apply, and remembers it if it is what was wanted.
func (r *Reconciler) settle(server *v1alpha1.MCPServer, wanted, got *unstructured.Unstructured) (client.Object, error) {
	live, err := r.empty(wanted.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(got.Object, live); err != nil {
		return nil, fmt.Errorf("decode %s: %w", nameOf(wanted), err)
	}
	if err := tampered(server, wanted, got, live); err != nil {
		return nil, err
	}
	return live, r.standing.keep(client.ObjectKeyFromObject(server), wanted, live)
}

// refusal tells what only a user can mend, because the API server does not take the object as it is, from failures that
// pass by themselves.
func refusal(did string, err error) error {
	refused := apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsForbidden(err) || apierrors.IsRequestEntityTooLargeError(err)
	if !refused || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return fmt.Errorf("%s: %w", did, err)
	}
	return &problem{v1alpha1.ConditionAccepted, v1alpha1.ReasonObjectRefused, fmt.Sprintf(
		"The API server refused to %s: %s Change the spec, or what forbids it: a quota, an admission policy or the operator's role.",
		did, diagnosis.Sentence(redact.Trusted(err.Error())))}
}

// read gives the object of a kind and name, from the cache or live.
func (r *Reconciler) read(ctx context.Context, from client.Reader, named *unstructured.Unstructured) (client.Object, error) {
	object, err := r.empty(named.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	return object, from.Get(ctx, client.ObjectKeyFromObject(named), object)
}

// cached reads a kind from the cache that has it. That of HTTPRoutes is nil where the cluster has none.
func (r *Reconciler) cached(kind schema.GroupVersionKind, seen observed) client.Reader {
	if kind == desired.HTTPRouteKind {
		return seen.routes
	}
	return r.Client
}

// empty gives an object to read into.
func (r *Reconciler) empty(kind schema.GroupVersionKind) (client.Object, error) {
	if kind == desired.HTTPRouteKind {
		return emptyRoute(), nil
	}
	typed, err := r.Scheme.New(kind)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", kind.Kind, err)
	}
	object, ok := typed.(client.Object)
	if !ok {
		return nil, fmt.Errorf("read %s: %T is no object", kind.Kind, typed)
	}
	return object, nil
}

// remove deletes an object that the spec does not ask for any more, if there is one and it is ours.
func (r *Reconciler) remove(ctx context.Context, server *v1alpha1.MCPServer, kind schema.GroupVersionKind, seen observed) error {
	cached := r.cached(kind, seen)
	if cached == nil {
		return nil
	}
	object, err := r.empty(kind)
	if err != nil {
		return err
	}
	err = cached.Get(ctx, client.ObjectKeyFromObject(server), object)
	if apierrors.IsNotFound(err) || (err == nil && !metav1.IsControlledBy(object, server)) {
		return nil
	}
	if err == nil {
		err = r.Delete(ctx, object, client.Preconditions{UID: ptr.To(object.GetUID())})
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("remove %s %s: %w", kind.Kind, server.Name, err)
	}
	return nil
}

// takeOver turns our fields from created into applied ones, when a created object is first applied. The API server keeps
// the two apart, and a created field would stay for ever when we no longer want it.
func (r *Reconciler) takeOver(ctx context.Context, existing client.Object) error {
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(existing, sets.New(string(FieldOwner)), string(FieldOwner))
	if err != nil {
		return fmt.Errorf("take over fields of %s: %w", existing.GetName(), err)
	}
	if len(patch) == 0 {
		return nil
	}
	if err := r.Patch(ctx, existing, client.RawPatch(types.JSONPatchType, patch)); err != nil {
		return fmt.Errorf("take over fields of %s: %w", existing.GetName(), err)
	}
	return nil
}

func toUnstructured(object runtime.ApplyConfiguration) (*unstructured.Unstructured, error) {
	data, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", object, err)
	}
	out := &unstructured.Unstructured{}
	// This decoder tells whole numbers, as the API server's answers have them.
	if err := utiljson.Unmarshal(data, &out.Object); err != nil {
		return nil, fmt.Errorf("encode %T: %w", object, err)
	}
	return out, nil
}
