package ssa

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// exclusive are the fields of an object in which nobody else may set anything, by their beginnings; but are those among them
// that others may. Server-side apply leaves what others have added, and the next apply takes it out once the engine owns it.
type exclusive struct{ fields, but []string }

// exclusiveFields of Secrets are none: who may write them may read them, and a key must never be lost.
func exclusiveFields(object client.Object, wanted *unstructured.Unstructured) exclusive {
	switch object.(type) {
	case *appsv1.Deployment:
		// "kubectl rollout restart" annotates the template. The scale is applied anyway.
		return exclusive{fields: []string{".spec"}, but: []string{".spec.template.metadata", ".spec.replicas"}}
	case *corev1.Service:
		return exclusive{fields: []string{".spec"}, but: givenToService(wanted)}
	case *corev1.ConfigMap:
		return exclusive{fields: []string{".data", ".binaryData"}}
	case *networkingv1.NetworkPolicy, *policyv1.PodDisruptionBudget:
		return exclusive{fields: []string{".spec"}}
	}
	if _, isUnknownKind := object.(*unstructured.Unstructured); isUnknownKind { // HTTPRoutes
		return exclusive{fields: []string{".spec"}}
	}
	return exclusive{}
}

// givenToService is what the cluster or a cloud gives a Service by itself, and, of one that is open to the outside, what keeps
// clients away or shows their addresses: it leads nowhere else. Of another the API server would refuse the latter.
func givenToService(wanted *unstructured.Unstructured) []string {
	given := []string{".spec.clusterIP", ".spec.clusterIPs", ".spec.ipFamilies", ".spec.ipFamilyPolicy", ".spec.healthCheckNodePort", ".spec.loadBalancerClass"}
	if kind, _, _ := unstructured.NestedString(wanted.Object, "spec", "type"); kind == string(corev1.ServiceTypeClusterIP) {
		return given
	}
	return append(given, ".spec.externalTrafficPolicy", ".spec.loadBalancerSourceRanges", ".spec.loadBalancerIP", ".spec.allocateLoadBalancerNodePorts")
}

func (x exclusive) has(path fieldpath.Path) bool {
	text := path.String()
	within := func(beginning string) bool {
		rest, found := strings.CutPrefix(text, beginning)
		return found && (rest == "" || rest[0] == '.' || rest[0] == '[')
	}
	return slices.ContainsFunc(x.fields, within) && !slices.ContainsFunc(x.but, within)
}

// reclaim makes what others have put where nobody else may the fields of the engine. It returns, by manager, what that was.
func (e *Engine) reclaim(ctx context.Context, existing client.Object, wanted *unstructured.Unstructured) (map[string][]string, error) {
	managed, edits, err := reclaimed(existing.GetManagedFields(), exclusiveFields(existing, wanted), e.FieldOwner)
	if err != nil || len(edits) == 0 {
		return nil, err
	}
	patch, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/metadata/managedFields", "value": managed},
		// One that was written since is a conflict.
		{"op": "replace", "path": "/metadata/resourceVersion", "value": existing.GetResourceVersion()},
	})
	if err != nil {
		return nil, fmt.Errorf("encode patch: %w", err)
	}
	if err := e.Patch(ctx, existing, client.RawPatch(types.JSONPatchType, patch), e.FieldOwner); err != nil {
		return nil, fmt.Errorf("take back fields of %s: %w", existing.GetName(), err)
	}
	return edits, nil
}

// reclaimed moves the exclusive fields of others to those that the owner applies.
func reclaimed(managed []metav1.ManagedFieldsEntry, own exclusive, owner client.FieldOwner) ([]metav1.ManagedFieldsEntry, map[string][]string, error) {
	var out []metav1.ManagedFieldsEntry
	edits, all, version := map[string][]string{}, fieldpath.NewSet(), ""
	for _, entry := range managed {
		left, taken, err := own.split(entry, owner)
		if err != nil {
			return nil, nil, err
		}
		if !left.Empty() || taken.Empty() {
			out = append(out, entry)
		}
		if taken.Empty() {
			continue
		}
		if !left.Empty() {
			if out[len(out)-1].FieldsV1, err = fieldsOf(left); err != nil {
				return nil, nil, err
			}
		}
		taken.Iterate(func(path fieldpath.Path) {
			edits[entry.Manager] = append(edits[entry.Manager], strings.TrimPrefix(path.String(), "."))
		})
		all, version = all.Union(taken), entry.APIVersion
	}
	if all.Empty() {
		return managed, nil, nil
	}
	out, err := applying(out, all, version, owner)
	return out, edits, err
}

// split returns the fields of others that are exclusive, and those that stay theirs. What was written to a subresource, such as
// the status or the scale, is none of them.
func (x exclusive) split(entry metav1.ManagedFieldsEntry, owner client.FieldOwner) (left, taken *fieldpath.Set, err error) {
	left, taken = fieldpath.NewSet(), fieldpath.NewSet()
	if entry.Manager == string(owner) || entry.Subresource != "" {
		return left, taken, nil
	}
	set, err := setOf(entry)
	if err != nil {
		return nil, nil, err
	}
	set.Iterate(func(path fieldpath.Path) {
		if x.has(path) {
			taken.Insert(path.Copy())
		}
	})
	return set.Difference(taken), taken, nil
}

// applying adds fields to those that the owner applies.
func applying(managed []metav1.ManagedFieldsEntry, more *fieldpath.Set, version string, owner client.FieldOwner) ([]metav1.ManagedFieldsEntry, error) {
	at := slices.IndexFunc(managed, func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == string(owner) && entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == ""
	})
	if at < 0 { // somebody has removed all entries
		at = len(managed)
		managed = append(managed, metav1.ManagedFieldsEntry{
			Manager: string(owner), Operation: metav1.ManagedFieldsOperationApply, APIVersion: version, FieldsType: "FieldsV1"})
	}
	before, err := setOf(managed[at])
	if err != nil {
		return nil, err
	}
	managed[at].FieldsV1, err = fieldsOf(before.Union(more))
	return managed, err
}

func setOf(entry metav1.ManagedFieldsEntry) (*fieldpath.Set, error) {
	set := fieldpath.NewSet()
	if entry.FieldsV1 == nil {
		return set, nil
	}
	if err := set.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())); err != nil {
		return nil, fmt.Errorf("read the fields of %s: %w", entry.Manager, err)
	}
	return set, nil
}

func fieldsOf(set *fieldpath.Set) (*metav1.FieldsV1, error) {
	data, err := set.ToJSON()
	if err != nil {
		return nil, fmt.Errorf("encode fields: %w", err)
	}
	return metav1.NewFieldsV1(string(data)), nil
}

// Outermost are the fields that are in no other of them.
func Outermost(fields []string) []string {
	slices.Sort(fields)
	var out []string
	for _, field := range fields {
		if len(out) > 0 {
			if rest, below := strings.CutPrefix(field, out[len(out)-1]); below && (rest == "" || rest[0] == '.' || rest[0] == '[') {
				continue
			}
		}
		out = append(out, field)
	}
	return out
}
