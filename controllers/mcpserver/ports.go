package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// closeForeignPorts takes out of a Service the ports that somebody has added: server-side apply leaves them alone, and
// one could lead past the gate. Of ours what the cloud has put there stays, such as the port of the node.
func (r *Reconciler) closeForeignPorts(ctx context.Context, existing client.Object, wanted *unstructured.Unstructured) error {
	service, ok := existing.(*corev1.Service)
	if !ok {
		return nil
	}
	var asked corev1.Service
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(wanted.Object, &asked); err != nil {
		return fmt.Errorf("decode Service %s: %w", service.Name, err)
	}
	live := map[portKey]corev1.ServicePort{}
	for _, port := range service.Spec.Ports {
		live[keyOf(port)] = port
	}
	var ours []corev1.ServicePort
	for _, port := range asked.Spec.Ports {
		if found, ok := live[keyOf(port)]; ok {
			delete(live, keyOf(port))
			port = found
		}
		ours = append(ours, port)
	}
	if len(live) == 0 {
		return nil
	}
	patch, err := json.Marshal([]map[string]any{
		{"op": "test", "path": "/metadata/resourceVersion", "value": service.ResourceVersion},
		{"op": "replace", "path": "/spec/ports", "value": ours},
	})
	if err != nil {
		return fmt.Errorf("encode ports: %w", err)
	}
	if err := r.Patch(ctx, service, client.RawPatch(types.JSONPatchType, patch), FieldOwner); err != nil {
		return fmt.Errorf("take foreign ports out of Service %s: %w", service.Name, err)
	}
	return nil
}

// portKey is what server-side apply tells the ports of a Service apart by.
type portKey struct {
	port     int32
	protocol corev1.Protocol
}

func keyOf(port corev1.ServicePort) portKey { return portKey{port.Port, port.Protocol} }
