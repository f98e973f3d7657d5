package availability

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/mask"
)

// Finding is why a pod does not run. Those with a lower rank are causes of those with a higher one.
type Finding struct {
	rank    int
	Reason  string
	Message string
}

// Diagnose gives the most telling reason why pods do not run, or are not even made; nil when they look well.
func Diagnose(server *v1alpha1.MCPServer, seen Seen) *Finding {
	var worst *Finding
	known := mask.Knowing(seen.Secrets...)
	for _, pod := range seen.Pods {
		if pod.DeletionTimestamp != nil {
			continue
		}
		pod = *pod.DeepCopy()
		conceal(&pod, known)
		if f := diagnosePod(pod, startOf(server, seen, pod)); f != nil && (worst == nil || f.rank < worst.rank) {
			f.Message = fmt.Sprintf("pod %s: %s", pod.Name, f.Message)
			worst = f
		}
	}
	if worst == nil && seen.Deployment != nil {
		return diagnoseDeployment(seen.Deployment)
	}
	return worst
}

// conceal takes what is known to be secret out of what containers and the kubelet say.
func conceal(pod *corev1.Pod, known mask.Known) {
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range statuses {
			for _, state := range []*corev1.ContainerState{&statuses[i].State, &statuses[i].LastTerminationState} {
				if state.Terminated != nil {
					state.Terminated.Message = known.Hide(state.Terminated.Message)
				}
				if state.Waiting != nil {
					state.Waiting.Message = known.Hide(state.Waiting.Message)
				}
			}
		}
	}
}

// diagnoseDeployment: what its controller is not allowed to make shows in the Deployment only.
func diagnoseDeployment(deployment *appsv1.Deployment) *Finding {
	for _, condition := range deployment.Status.Conditions {
		if condition.Type == appsv1.DeploymentReplicaFailure && condition.Status == corev1.ConditionTrue {
			return &Finding{4, v1alpha1.ReasonPodsRefused, advised(mask.Trusted(condition.Message))}
		}
	}
	return nil
}

func diagnosePod(pod corev1.Pod, start diagnosis.Start) *Finding {
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if f := diagnoseContainer(status, start); f != nil {
			return f
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return &Finding{3, v1alpha1.ReasonUnschedulable, advised(condition.Message)}
		}
	}
	return nil
}

func diagnoseContainer(status corev1.ContainerStatus, start diagnosis.Start) *Finding {
	if status.Name != desired.ServerContainer {
		start = diagnosis.Start{}
	}
	ended := diagnosis.EndOf(status)
	switch {
	case ended != nil && status.Name == desired.GateContainer && ended.ExitCode == gateapi.ExitPortTaken:
		return &Finding{0, v1alpha1.ReasonGatePortTaken, diagnosis.Exit(status.Name, *ended, status.RestartCount, start) +
			". Change gate.port or gate.adminPort, or the port of the process that has it."}
	case ended != nil:
		return &Finding{1, v1alpha1.ReasonContainerExited, diagnosis.Exit(status.Name, *ended, status.RestartCount, start)}
	case status.State.Waiting != nil && !starting(status.State.Waiting.Reason):
		return &Finding{2, v1alpha1.ReasonContainerCannotStart, advised(diagnosis.Waiting(status.Name, *status.State.Waiting))}
	}
	return nil
}

// cures are what to do about words of the kubelet, the scheduler and the API server that do not say so themselves; the first
// that fits counts.
var cures = []struct{ says, cure string }{
	{"runAsUser", ""}, // it was said
	{"couldn't find key", "Add the data key, or change env."},
	{`secret "`, "Create the Secret, or change what names it: env, envFrom or volumes."},
	{`configmap "`, "Create the ConfigMap, or change what names it: env, envFrom or volumes."},
	{"authoriz", "Name a Secret with credentials of the registry in imagePullSecrets."},
	{"credentials", "Name a Secret with credentials of the registry in imagePullSecrets."},
	{"certificate signed by unknown authority", "The node does not trust the registry: give it the registry's CA."},
	{"InvalidImageName", "Change image: it is no name of an image."},
	{"not found", "Check image: the registry has none of that name and tag."},
	{"exceeded quota", "Raise the quota, or lower resources, gate.resources or replicas."},
	{"violates PodSecurity", "Raise the Pod Security level of the namespace, or take out of the spec what it names."},
	{"forbidden", "Change what it names, or the policy that forbids it."},
	{"nodes are available", "Lower resources.requests, change pod.nodeSelector, pod.affinity or pod.tolerations, or add a node."},
}

// advised puts behind somebody's words what to do about them.
func advised(words string) string {
	for _, c := range cures {
		if strings.Contains(words, c.says) {
			return strings.TrimSpace(diagnosis.Sentence(words) + " " + c.cure)
		}
	}
	return words
}

// startOf is what the kubelet asks of the server before it counts as started. What its gate has seen listen instead is the
// better advice.
func startOf(server *v1alpha1.MCPServer, seen Seen, pod corev1.Pod) diagnosis.Start {
	settings := desired.Resolve(server)
	address := fmt.Sprintf("127.0.0.1:%d", settings.Port)
	start := diagnosis.Start{
		Limit: settings.StartLimit,
		Wants: "the server listens on " + address,
		Advice: fmt.Sprintf("Check that port (now %d) is the one the server listens on, that it does so on 127.0.0.1 or ::1, "+
			"and raise startupSeconds (now %d) if it takes longer to start.", settings.Port, int(settings.StartLimit.Seconds())),
	}
	if settings.HealthPath != "" {
		start.Wants = fmt.Sprintf("GET %s at %s is answered, with a status below 500", settings.HealthPath, address)
		start.Advice = fmt.Sprintf("Check healthPath, and %s", strings.ToLower(start.Advice[:1])+start.Advice[1:])
	}
	if absence, found := seen.Absences[pod.UID]; found && len(absence.Others) > 0 {
		start.Advice = fmt.Sprintf("Meanwhile its gate saw that %s. %s", absence.Facts(), absence.Advice())
	}
	return start
}

// starting tells the waits of every healthy start from those that do not end by themselves.
func starting(reason string) bool {
	return reason == "" || reason == "PodInitializing" || reason == "ContainerCreating" || strings.HasPrefix(reason, "Pulling")
}
