package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
)

// apply brings one object to what is desired, and never takes over what belongs to somebody else: what does not exist
// is created, which fails if it exists after all; what exists and is ours is applied under its UID, which fails if it
// was replaced in between.
func (r *Reconciler) apply(ctx context.Context, server *v1alpha1.MCPServer, object runtime.ApplyConfiguration, seen observed) error {
	wanted, err := toUnstructured(object)
	if err != nil {
		return err
	}
	what := wanted.GetKind() + " " + wanted.GetName()
	existing, err := r.read(ctx, wanted)
	switch {
	case apierrors.IsNotFound(err):
		return r.create(ctx, wanted)
	case err != nil:
		return fmt.Errorf("read %s: %w", what, err)
	case !metav1.IsControlledBy(existing, server):
		return &problem{v1alpha1.ConditionAccepted, v1alpha1.ReasonNameTaken, fmt.Sprintf(
			"%s exists and does not belong to this MCPServer, so it is left alone. Delete or rename it, or give the MCPServer another name.", what)}
	}
	if err := r.takeOver(ctx, existing); err != nil {
		return err
	}
	wanted.SetUID(existing.GetUID())
	if version := seen.versions[wanted.GetName()]; wanted.GetKind() == "Secret" && version != "" {
		wanted.SetResourceVersion(version)
	}
	if err := r.Apply(ctx, client.ApplyConfigurationFromUnstructured(wanted), FieldOwner, client.ForceOwnership); err != nil {
		return refusal("apply "+what, err)
	}
	return nil
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
		did, diagnosis.Sentence(diagnosis.Redact(err.Error())))}
}

// read looks into the cache first. The cache holds what carries our label; an object of ours that lost it is found live.
func (r *Reconciler) read(ctx context.Context, wanted *unstructured.Unstructured) (client.Object, error) {
	typed, err := r.Scheme.New(wanted.GroupVersionKind())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", wanted.GetKind(), err)
	}
	object, ok := typed.(client.Object)
	if !ok {
		return nil, fmt.Errorf("read %s: %T is no object", wanted.GetKind(), typed)
	}
	err = r.Get(ctx, client.ObjectKeyFromObject(wanted), object)
	if apierrors.IsNotFound(err) {
		err = r.Live.Get(ctx, client.ObjectKeyFromObject(wanted), object)
	}
	return object, err
}

func (r *Reconciler) create(ctx context.Context, wanted *unstructured.Unstructured) error {
	if err := r.Create(ctx, wanted, FieldOwner); err != nil {
		return refusal("create "+wanted.GetKind()+" "+wanted.GetName(), err)
	}
	return r.takeOver(ctx, wanted)
}

// takeOver turns our fields from created into applied ones. The API server keeps the two apart, and a created field
// would stay for ever when we no longer want it.
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
	if err := json.Unmarshal(data, &out.Object); err != nil {
		return nil, fmt.Errorf("encode %T: %w", object, err)
	}
	return out, nil
}
