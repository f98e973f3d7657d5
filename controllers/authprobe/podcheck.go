package authprobe

import (
	"context"
	"errors"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/workload"
	"github.com/mcp-gatehouse/gatehouse/internal/podstate"
)

// podCheck finds out whose a pod is, and whether it is as the operator made it.
type podCheck struct {
	client.Reader

	now func() time.Time
}

// unfit is the evidence against a pod that is sent no token at all, because it is not this server's or not as the
// operator made it; nil if it is.
func (c podCheck) unfit(ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod) (*authhealth.Evidence, error) {
	template, owned, err := c.template(ctx, server, pod)
	if err != nil {
		return nil, err
	}
	if !owned {
		against := authhealth.ForeignPod(c.now())
		return &against, nil
	}
	lock := podlock.OfMade(server, template.spec)
	violations := podlock.Violations(pod.Spec, lock)
	if found := templateTampered(server); found != "" && template.current {
		violations = append(violations, podlock.Violation{Rule: v1alpha1.ReasonTemplateTampered, Detail: found})
	}
	if len(violations) > 0 {
		against := authhealth.Tampered(pod.Spec, lock, violations, c.now())
		return &against, nil
	}
	return nil, nil
}

// template is the pod template of the pod's ReplicaSet. For the revision that the Deployment has now it is what the operator
// has applied: others may have changed ReplicaSet and Deployment. owned tells that the ReplicaSet belongs to the server's
// Deployment: anyone may give a pod our labels.
func (c podCheck) template(ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod) (found madeFrom, owned bool, err error) {
	ref := metav1.GetControllerOf(&pod)
	if ref == nil || ref.Kind != "ReplicaSet" {
		return found, false, nil
	}
	var replicaSet appsv1.ReplicaSet
	if err := c.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: ref.Name}, &replicaSet); err != nil {
		return found, false, client.IgnoreNotFound(err)
	}
	var deployment appsv1.Deployment
	if err := c.Get(ctx, client.ObjectKeyFromObject(server), &deployment); err != nil {
		return found, false, client.IgnoreNotFound(err)
	}
	owned = replicaSet.UID == ref.UID && metav1.IsControlledBy(&replicaSet, &deployment) && desired.Owns(server, &deployment)
	found = madeFrom{spec: replicaSet.Spec.Template.Spec, current: isCurrent(replicaSet, deployment)}
	recorded, believed := workload.Recorded(server, &deployment)
	switch {
	case owned && !believed:
		return found, owned, errors.New("the Deployment's record of its template is not what the status says: somebody has changed it, or the status is about to be written")
	case found.current && recorded != nil:
		found.spec = *recorded
	case found.current:
		found.spec = deployment.Spec.Template.Spec
	}
	return found, owned, nil
}

// madeFrom is what a pod was made from.
type madeFrom struct {
	spec corev1.PodSpec
	// current: it is what the Deployment makes pods from now.
	current bool
}

// revisionAnnotation numbers the templates of a Deployment; its controller writes it before it says that it has seen a
// new one.
const revisionAnnotation = "deployment.kubernetes.io/revision"

func isCurrent(replicaSet appsv1.ReplicaSet, deployment appsv1.Deployment) bool {
	return deployment.Status.ObservedGeneration == deployment.Generation &&
		replicaSet.Annotations[revisionAnnotation] == deployment.Annotations[revisionAnnotation]
}

// templateTampered is what the builder of objects found about the Deployment's template; empty when it is as applied.
func templateTampered(server *v1alpha1.MCPServer) string {
	accepted := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAccepted)
	if accepted == nil || accepted.Reason != v1alpha1.ReasonTemplateTampered {
		return ""
	}
	return accepted.Message
}

// unchanged tells that the pod is still the one that the round began with.
func (c podCheck) unchanged(ctx context.Context, pod corev1.Pod, reason string) bool {
	var now corev1.Pod
	if err := c.Get(ctx, client.ObjectKeyFromObject(&pod), &now); err != nil {
		return false
	}
	// That the server was restarted voids no finding that it gave no answer: one that ends again and again would never be
	// told of.
	if reason == v1alpha1.ReasonUpstreamUnavailable {
		now, pod = *now.DeepCopy(), *pod.DeepCopy()
		now.Status.ContainerStatuses, pod.Status.ContainerStatuses = nil, nil
	}
	return now.UID == pod.UID && podstate.Instance(now) == podstate.Instance(pod)
}
