package ssa

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

// removeForeignPorts takes out of a Service what somebody has added and server-side apply leaves alone: ports, which could
// lead past the gate, and the name of another host. Of our port what the cloud has put there stays, such as the port of
// the node.
func (e *Engine) removeForeignPorts(ctx context.Context, existing client.Object, wanted *unstructured.Unstructured) error {
	service, ok := existing.(*corev1.Service)
	if !ok {
		return nil
	}
	var asked corev1.Service
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(wanted.Object, &asked); err != nil {
		return fmt.Errorf("decode Service %s: %w", service.Name, err)
	}
	var steps []map[string]any
	if ours, foreign := splitPorts(service.Spec.Ports, asked.Spec.Ports); foreign {
		steps = append(steps, map[string]any{"op": "replace", "path": "/spec/ports", "value": ours})
	}
	if service.Spec.ExternalName != "" {
		steps = append(steps,
			map[string]any{"op": "replace", "path": "/spec/type", "value": asked.Spec.Type},
			map[string]any{"op": "remove", "path": "/spec/externalName"})
	}
	if len(steps) == 0 {
		return nil
	}
	steps = append(steps, map[string]any{"op": "test", "path": "/metadata/resourceVersion", "value": service.ResourceVersion})
	patch, err := json.Marshal(steps)
	if err != nil {
		return fmt.Errorf("encode patch: %w", err)
	}
	if err := e.Patch(ctx, service, client.RawPatch(types.JSONPatchType, patch), e.FieldOwner); err != nil {
		return fmt.Errorf("take what is foreign out of Service %s: %w", service.Name, err)
	}
	return nil
}

// splitPorts gives the ports that are wanted, each as it stands if it does, and tells whether there are others.
func splitPorts(standing, wanted []corev1.ServicePort) (ours []corev1.ServicePort, foreign bool) {
	live := map[portKey]corev1.ServicePort{}
	for _, port := range standing {
		live[keyOf(port)] = port
	}
	for _, port := range wanted {
		if found, ok := live[keyOf(port)]; ok {
			delete(live, keyOf(port))
			port = found
		}
		ours = append(ours, port)
	}
	return ours, len(live) > 0
}

// portKey is what server-side apply tells the ports of a Service apart by.
type portKey struct {
	port     int32
	protocol corev1.Protocol
}

func keyOf(port corev1.ServicePort) portKey { return portKey{port.Port, port.Protocol} }
