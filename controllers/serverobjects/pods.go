package serverobjects

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
)

// Refresh makes the kubelet bring changed keys and configuration into running pods at once. By itself it looks at
// mounted ConfigMaps and Secrets only every minute or so; a change of the pod's annotations makes it look now.
// secrets are the versions of the Secrets that gates mount, and objects what else they mount.
func (a Applier) Refresh(ctx context.Context, server *v1alpha1.MCPServer, pods []corev1.Pod, secrets []string, objects []runtime.ApplyConfiguration) error {
	revision, err := mountedRevision(objects, secrets)
	if err != nil {
		return err
	}
	for _, pod := range pods {
		// Anyone may give a pod our labels; what no ReplicaSet made is not ours to write to.
		if made := metav1.GetControllerOf(&pod); made == nil || made.Kind != "ReplicaSet" {
			continue
		}
		// A pod that mounts an object by a former name is about to be replaced. What is there now it must not load any sooner.
		if !podlock.MountsAll(server, pod.Spec) {
			continue
		}
		if pod.DeletionTimestamp != nil || pod.Annotations[v1alpha1.AnnotationMountedRevision] == revision {
			continue
		}
		// Under its UID: a pod that has gone is not made anew, which would be an invalid one.
		object := corev1ac.Pod(pod.Name, pod.Namespace).WithUID(pod.UID).
			WithAnnotations(map[string]string{v1alpha1.AnnotationMountedRevision: revision})
		err := a.Client.Apply(ctx, object, owned.FieldOwner, client.ForceOwnership)
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fmt.Errorf("annotate pod %s: %w", pod.Name, err)
		}
	}
	return nil
}

// mountedRevision changes with the content of every ConfigMap that gates mount, and with the versions of mounted Secrets: not
// with their content, which a digest that everybody can read would help to guess.
func mountedRevision(objects []runtime.ApplyConfiguration, secrets []string) (string, error) {
	sum := sha256.New()
	for _, version := range secrets {
		fmt.Fprintln(sum, version)
	}
	for _, object := range objects {
		if config, ok := object.(*corev1ac.ConfigMapApplyConfiguration); ok {
			data, err := json.Marshal(config)
			if err != nil {
				return "", fmt.Errorf("encode %T: %w", config, err)
			}
			sum.Write(data)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}
