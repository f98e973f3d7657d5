package ssa

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Applied remembers what was applied and what came of it, so that an object which stands as it did is not applied again. It is
// lost with the process; then each object is applied once more, which changes nothing. Its zero value is ready for use.
type Applied struct {
	mu     sync.Mutex
	owners map[types.NamespacedName]map[string]appliedObject
}

// Forget drops the objects of an owner that is gone.
func (a *Applied) Forget(owner types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.owners, owner)
}

// appliedObject is one object as it was after it was applied.
type appliedObject struct {
	wanted, live digest
	// version saves computing the digest of an object that nobody has touched at all.
	version string
}

type digest [sha256.Size]byte

// matches reports whether an object is still what came of applying what is wanted. The status is not looked at: it is not
// applied, and others write it all the time.
func (a *Applied) matches(owner types.NamespacedName, wanted *unstructured.Unstructured, live client.Object) (bool, error) {
	sum, err := digestOf(wanted)
	if err != nil {
		return false, err
	}
	a.mu.Lock()
	last, found := a.owners[owner][NameOf(wanted)]
	a.mu.Unlock()
	switch {
	case !found || last.wanted != sum:
		return false, nil
	case last.version == live.GetResourceVersion():
		return true, nil
	}
	now, err := digestLive(live)
	return now == last.live, err
}

// keep remembers an object as the API server gave it back.
func (a *Applied) keep(owner types.NamespacedName, wanted *unstructured.Unstructured, live client.Object) error {
	sum, err := digestOf(wanted)
	if err != nil {
		return err
	}
	now, err := digestLive(live)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.owners == nil {
		a.owners = map[types.NamespacedName]map[string]appliedObject{}
	}
	if a.owners[owner] == nil {
		a.owners[owner] = map[string]appliedObject{}
	}
	a.owners[owner][NameOf(wanted)] = appliedObject{wanted: sum, live: now, version: live.GetResourceVersion()}
	return nil
}

func digestOf(object any) (digest, error) {
	data, err := json.Marshal(object)
	if err != nil {
		return digest{}, fmt.Errorf("encode %T: %w", object, err)
	}
	return sha256.Sum256(data), nil
}

// digestLive is of everything that somebody could have put there to stay.
func digestLive(live client.Object) (digest, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return digest{}, fmt.Errorf("encode %T: %w", live, err)
	}
	content = runtime.DeepCopyJSON(content)
	for _, field := range []string{"apiVersion", "kind", "status"} {
		delete(content, field)
	}
	if metadata, ok := content["metadata"].(map[string]any); ok {
		for _, field := range []string{"resourceVersion", "generation", "managedFields"} {
			delete(metadata, field)
		}
	}
	return digestOf(content)
}
