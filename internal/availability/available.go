package availability

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/conditions"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
)

// Seen is what is known of the pods of a server.
type Seen struct {
	// Deployment is nil before the first apply.
	Deployment *appsv1.Deployment
	// Pods carry the server's labels.
	Pods []corev1.Pod
	// Absences are of servers that do not listen where they must, by pod.
	Absences map[types.UID]diagnosis.Absence
	// Secrets that no message may repeat.
	Secrets [][]byte
}

// Judge says whether enough pods serve, and if not, why the first of the others does not.
func Judge(server *v1alpha1.MCPServer, seen Seen, stored bool, now time.Time) conditions.Verdict {
	want := desired.Resolve(server).Replicas
	if want == 0 {
		return conditions.True(v1alpha1.ReasonScaledToZero, "The server is parked: replicas is 0.")
	}
	var available int32
	if seen.Deployment != nil {
		available = seen.Deployment.Status.AvailableReplicas
	}
	count := fmt.Sprintf("%d of %d pods serve", available, want)
	if available >= want {
		return conditions.True(v1alpha1.ReasonPodsAvailable, count+".")
	}
	if found := Diagnose(server, seen); found != nil {
		return conditions.False(found.Reason, count+"; "+diagnosis.Sentence(found.Message))
	}
	for _, pod := range seen.Pods {
		late := now.Sub(pod.CreationTimestamp.Time) > desired.Resolve(server).StartBudget() && conditions.OfPod(pod, corev1.PodReady) != corev1.ConditionTrue
		// Withdrawn: its lock was seen open.
		if withdrawn := conditions.OfPod(pod, v1alpha1.ConditionPodAuthProven) == corev1.ConditionFalse; late || withdrawn {
			return conditions.False(v1alpha1.ReasonPodsUnavailable,
				fmt.Sprintf("%s; pod %s runs and does not become ready: %s", count, pod.Name, unready(server, seen, pod)))
		}
	}
	return conditions.False(v1alpha1.ReasonProgressing, count+"; "+underway(seen, stored))
}

// unready says why a pod that runs takes no traffic, as sentences behind a colon.
func unready(server *v1alpha1.MCPServer, seen Seen, pod corev1.Pod) string {
	if absence, found := seen.Absences[pod.UID]; found {
		return absence.Facts() + ". " + absence.Advice()
	}
	// These only point back here.
	silent := []string{v1alpha1.ReasonNoPods, v1alpha1.ReasonNotYetProbed, v1alpha1.ReasonScaledToZero}
	if said := conditions.AuthHealthy(server); said.Status != metav1.ConditionTrue && !slices.Contains(silent, said.Reason) {
		return fmt.Sprintf("its lock is not proven (%s). %s", said.Reason, said.Message)
	}
	var waits []string
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if !status.Ready && status.State.Running != nil {
			waits = append(waits, "container "+status.Name+" is not ready")
		}
	}
	for _, gate := range pod.Spec.ReadinessGates {
		if conditions.OfPod(pod, gate.ConditionType) != corev1.ConditionTrue {
			waits = append(waits, "readiness gate "+string(gate.ConditionType)+" is not True")
		}
	}
	if len(waits) == 0 {
		return "neither its containers nor its readiness gates say why. Look at its events (kubectl describe pod)."
	}
	return strings.Join(waits, ", ") + ". Look at the pod's events (kubectl describe pod) and at the logs of its containers."
}

// underway says what is waited for. A server that listens on another port than the gate asks is named before its time is over.
func underway(seen Seen, stored bool) string {
	switch {
	case seen.Deployment == nil && !stored:
		return "no pod is made before the spec can be carried out."
	case len(seen.Pods) == 0:
		return "the pods were not made yet."
	}
	for _, pod := range seen.Pods {
		if absence, found := seen.Absences[pod.UID]; found && len(absence.Others) > 0 && conditions.OfPod(pod, corev1.PodReady) != corev1.ConditionTrue {
			return fmt.Sprintf("pod %s is starting, and so far %s. %s", pod.Name, absence.Facts(), absence.Advice())
		}
	}
	return "the others are starting, or wait for the first proof of their lock."
}
