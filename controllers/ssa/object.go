package ssa

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ForeignError says that an object of the wanted name belongs to somebody else.
type ForeignError struct {
	Existing client.Object
	Wanted   *unstructured.Unstructured
}

func (e *ForeignError) Error() string { return NameOf(e.Wanted) + " belongs to somebody else" }

// RefusedError says that the API server does not take an object as it is: trying again changes nothing.
type RefusedError struct {
	// Verb is what was asked for: "create" or "apply".
	Verb   string
	Wanted *unstructured.Unstructured
	Err    error
}

// Action is what was asked for, as "apply Service x".
func (e *RefusedError) Action() string { return e.Verb + " " + NameOf(e.Wanted) }

func (e *RefusedError) Error() string { return e.Action() + ": " + e.Err.Error() }

func (e *RefusedError) Unwrap() error { return e.Err }

// Refused is a *RefusedError, or another error where the failure passes by itself.
func Refused(verb string, wanted *unstructured.Unstructured, err error) error {
	refused := apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsForbidden(err) || apierrors.IsRequestEntityTooLargeError(err)
	if !refused || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return fmt.Errorf("%s %s: %w", verb, NameOf(wanted), err)
	}
	return &RefusedError{Verb: verb, Wanted: wanted, Err: err}
}

// NameOf names an object for people, as "Service x".
func NameOf(object *unstructured.Unstructured) string {
	return object.GetKind() + " " + object.GetName()
}

// CanBeImmutable reports whether objects of a kind can be made immutable.
func CanBeImmutable(object client.Object) bool {
	switch object.(type) {
	case *corev1.Secret, *corev1.ConfigMap:
		return true
	}
	return false
}

// IsImmutable reports whether an object is.
func IsImmutable(object client.Object) bool {
	var set *bool
	switch typed := object.(type) {
	case *corev1.Secret:
		set = typed.Immutable
	case *corev1.ConfigMap:
		set = typed.Immutable
	}
	return set != nil && *set
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
