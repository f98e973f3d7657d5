package ssa

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Engine applies objects under one field owner.
type Engine struct {
	// Client reads from the cache and writes.
	client.Client
	// Live reads past the cache: what is absent there may still exist.
	Live client.Reader
	// FieldOwner is the manager of every field that is applied.
	FieldOwner client.FieldOwner
	// Applied remembers what was applied. It must be the same for as long as the process runs.
	Applied *Applied
}

// Owner is whom objects belong to.
type Owner struct {
	Name types.NamespacedName
	// Owns reports whether an object is one of the owner's.
	Owns func(client.Object) bool
}

// Call is one object to apply, and what only the caller knows of it.
type Call struct {
	Owner  Owner
	Object runtime.ApplyConfiguration
	// Cached reads the kind of the object; nil is the cache of the engine's client.
	Cached client.Reader
	// Versions are those that Secrets must still have, by name: one that was written since is a conflict.
	Versions map[string]string
	// Refuse returns why an object that exists must not be written; it is asked before the owner is.
	Refuse func(existing client.Object, wanted *unstructured.Unstructured) error
	// Verify returns what is wrong with what the API server made of an apply.
	Verify func(wanted, got *unstructured.Unstructured, live client.Object) error
	// Undone is told, by manager, of the fields that were taken back.
	Undone func(wanted *unstructured.Unstructured, edits map[string][]string)
}

// Apply brings one object to what is desired: what the cache does not have is created, which fails if it exists after all;
// what exists and is the owner's is applied under its UID, which fails if it was replaced in between. It returns the object as
// it is now. What belongs to somebody else is a *ForeignError, and what the API server does not take as it is a *RefusedError.
func (e *Engine) Apply(ctx context.Context, call Call) (client.Object, error) {
	wanted, err := toUnstructured(call.Object)
	if err != nil {
		return nil, err
	}
	existing, err := e.read(ctx, e.cached(call.Cached), wanted)
	switch {
	case apierrors.IsNotFound(err):
		return e.create(ctx, call, wanted)
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", NameOf(wanted), err)
	}
	return e.update(ctx, call, existing, wanted)
}

// create makes an object that the cache does not have. Whatever the API server answers, the object may be there: without the
// label that the cache selects by, or newer than the cache.
func (e *Engine) create(ctx context.Context, call Call, wanted *unstructured.Unstructured) (client.Object, error) {
	made := wanted.DeepCopy()
	refused := e.Create(ctx, made, e.FieldOwner)
	if refused == nil {
		return e.record(call, wanted, made)
	}
	existing, err := e.read(ctx, e.Live, wanted)
	switch {
	case apierrors.IsNotFound(err):
		return nil, Refused("create", wanted, refused)
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", NameOf(wanted), err)
	}
	return e.update(ctx, call, existing, wanted)
}

// update applies an object that exists, if it is the owner's.
func (e *Engine) update(ctx context.Context, call Call, existing client.Object, wanted *unstructured.Unstructured) (client.Object, error) {
	if err := call.Refuse(existing, wanted); err != nil {
		return nil, err
	}
	if !call.Owner.Owns(existing) {
		return nil, &ForeignError{Existing: existing, Wanted: wanted}
	}
	if current, err := e.isCurrent(call.Owner, wanted, existing); err != nil || current {
		return existing, err
	}
	// Data that was written since it was read must not be replaced.
	version, held := call.Versions[wanted.GetName()]
	held = held && wanted.GetKind() == "Secret"
	if held && version != existing.GetResourceVersion() {
		return nil, apierrors.NewConflict(corev1.Resource("secrets"), wanted.GetName(), errors.New("it was written since it was read"))
	}
	edits, err := e.takeFields(ctx, existing, wanted)
	if err != nil {
		return nil, err
	}
	asked := wanted.DeepCopy()
	asked.SetUID(existing.GetUID())
	if held {
		asked.SetResourceVersion(existing.GetResourceVersion())
	}
	if err := e.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(asked), e.FieldOwner, client.ForceOwnership); err != nil {
		return nil, Refused("apply", wanted, err)
	}
	if len(edits) > 0 {
		call.Undone(wanted, edits)
	}
	return e.record(call, wanted, asked)
}

// isCurrent reports whether an object need not be written: it is as the last apply left it, or it is immutable and the caller
// has let it pass.
func (e *Engine) isCurrent(owner Owner, wanted *unstructured.Unstructured, existing client.Object) (bool, error) {
	if IsImmutable(existing) {
		return true, nil
	}
	return e.Applied.matches(owner.Name, wanted, existing)
}

// takeFields takes out what others have put where it must not be, and makes what others own of an object the engine's. It
// returns, by manager, which fields those were.
func (e *Engine) takeFields(ctx context.Context, existing client.Object, wanted *unstructured.Unstructured) (map[string][]string, error) {
	if err := e.takeOver(ctx, existing); err != nil {
		return nil, err
	}
	edits, err := e.reclaim(ctx, existing, wanted)
	if err != nil {
		return nil, err
	}
	return edits, e.removeForeignPorts(ctx, existing, wanted)
}

// record verifies what the API server made of an apply, and remembers it if it is what was wanted.
func (e *Engine) record(call Call, wanted, got *unstructured.Unstructured) (client.Object, error) {
	live, err := e.empty(wanted.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(got.Object, live); err != nil {
		return nil, fmt.Errorf("decode %s: %w", NameOf(wanted), err)
	}
	if err := call.Verify(wanted, got, live); err != nil {
		return nil, err
	}
	return live, e.Applied.keep(call.Owner.Name, wanted, live)
}

// Prune deletes the object of a kind that is named as its owner, if there is one and it is the owner's.
func (e *Engine) Prune(ctx context.Context, owner Owner, kind schema.GroupVersionKind, cached client.Reader) error {
	object, err := e.empty(kind)
	if err != nil {
		return err
	}
	err = e.cached(cached).Get(ctx, owner.Name, object)
	if apierrors.IsNotFound(err) || (err == nil && !owner.Owns(object)) {
		return nil
	}
	if err == nil {
		err = e.Delete(ctx, object, client.Preconditions{UID: ptr.To(object.GetUID())})
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("remove %s %s: %w", kind.Kind, owner.Name.Name, err)
	}
	return nil
}

func (e *Engine) cached(cached client.Reader) client.Reader {
	if cached == nil {
		return e.Client
	}
	return cached
}

// read returns the object of a kind and name, from the cache or live.
func (e *Engine) read(ctx context.Context, from client.Reader, named *unstructured.Unstructured) (client.Object, error) {
	object, err := e.empty(named.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	return object, from.Get(ctx, client.ObjectKeyFromObject(named), object)
}

// empty returns an object to read into: an unstructured one of a kind that the scheme does not know.
func (e *Engine) empty(kind schema.GroupVersionKind) (client.Object, error) {
	if !e.Scheme().Recognizes(kind) {
		object := &unstructured.Unstructured{}
		object.SetGroupVersionKind(kind)
		return object, nil
	}
	typed, err := e.Scheme().New(kind)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", kind.Kind, err)
	}
	object, ok := typed.(client.Object)
	if !ok {
		return nil, fmt.Errorf("read %s: %T is no object", kind.Kind, typed)
	}
	return object, nil
}

// takeOver turns the engine's fields from created into applied ones, when a created object is first applied. The API server
// keeps the two apart, and a created field would stay for ever when it is no longer wanted.
func (e *Engine) takeOver(ctx context.Context, existing client.Object) error {
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(existing, sets.New(string(e.FieldOwner)), string(e.FieldOwner))
	if err != nil {
		return fmt.Errorf("take over fields of %s: %w", existing.GetName(), err)
	}
	if len(patch) == 0 {
		return nil
	}
	if err := e.Patch(ctx, existing, client.RawPatch(types.JSONPatchType, patch)); err != nil {
		return fmt.Errorf("take over fields of %s: %w", existing.GetName(), err)
	}
	return nil
}
