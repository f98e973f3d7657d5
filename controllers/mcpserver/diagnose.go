package mcpserver

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
	"github.com/mcp-gatehouse/gatehouse/internal/redact"
)

// exitPortTaken is the gate's exit code when it cannot listen (EX_CONFIG of sysexits.h).
const exitPortTaken = 78

// finding is why a pod does not run. Those with a lower rank are causes of those with a higher one.
type finding struct {
	rank    int
	reason  string
	message string
}

// diagnose gives the most telling reason why pods do not run, or are not even made; nil when they look well.
func diagnose(server *v1alpha1.MCPServer, seen observed) *finding {
	var worst *finding
	known := redact.Knowing(seen.secrets()...)
	for _, pod := range seen.pods {
		if pod.DeletionTimestamp != nil {
			continue
		}
		pod = *pod.DeepCopy()
		conceal(&pod, known)
		if f := diagnosePod(pod, startOf(server)); f != nil && (worst == nil || f.rank < worst.rank) {
			f.message = fmt.Sprintf("pod %s: %s", pod.Name, f.message)
			worst = f
		}
	}
	if worst == nil && seen.deployment != nil {
		return diagnoseDeployment(seen.deployment)
	}
	return worst
}

// secrets are those of the server's keys that the operator holds: a container may print what it was given, or guess.
func (seen observed) secrets() [][]byte {
	turn := seen.secretTurn.next
	all := [][]byte{turn.Current.Secret, turn.Next.Secret, turn.Previous.Secret}
	for _, set := range seen.keys {
		for _, key := range set {
			all = append(all, key.Secret())
		}
	}
	for _, set := range seen.public {
		for _, key := range set {
			if secret, shared := key.Key.([]byte); shared {
				all = append(all, secret)
			}
		}
	}
	return all
}

// conceal takes what is known to be secret out of what containers and the kubelet say.
func conceal(pod *corev1.Pod, known redact.Known) {
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
func diagnoseDeployment(deployment *appsv1.Deployment) *finding {
	for _, condition := range deployment.Status.Conditions {
		if condition.Type == appsv1.DeploymentReplicaFailure && condition.Status == corev1.ConditionTrue {
			return &finding{4, v1alpha1.ReasonPodsRefused, redact.Trusted(condition.Message)}
		}
	}
	return nil
}

func diagnosePod(pod corev1.Pod, start diagnosis.Start) *finding {
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if f := diagnoseContainer(status, start); f != nil {
			return f
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return &finding{3, v1alpha1.ReasonUnschedulable, condition.Message}
		}
	}
	return nil
}

// endOf is how a container ended that does not run well since; nil if it does.
func endOf(status corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if status.State.Terminated == nil && !status.Ready {
		return status.LastTerminationState.Terminated
	}
	return status.State.Terminated
}

func diagnoseContainer(status corev1.ContainerStatus, start diagnosis.Start) *finding {
	if status.Name != desired.ServerContainer {
		start = diagnosis.Start{}
	}
	ended := endOf(status)
	switch {
	case ended != nil && status.Name == desired.GateContainer && ended.ExitCode == exitPortTaken:
		return &finding{0, v1alpha1.ReasonGatePortTaken, diagnosis.Exit(status.Name, *ended, status.RestartCount, start) +
			". Change gate.port or gate.adminPort, or the port of the process that has it."}
	case ended != nil:
		return &finding{1, v1alpha1.ReasonContainerExited, diagnosis.Exit(status.Name, *ended, status.RestartCount, start)}
	case status.State.Waiting != nil && !starting(status.State.Waiting.Reason):
		return &finding{2, v1alpha1.ReasonContainerCannotStart, diagnosis.Waiting(status.Name, *status.State.Waiting)}
	}
	return nil
}

// startOf is what the kubelet asks of the server before it counts as started.
func startOf(server *v1alpha1.MCPServer) diagnosis.Start {
	settings := desired.Resolve(server)
	address := fmt.Sprintf("127.0.0.1:%d", settings.Port)
	start := diagnosis.Start{
		Limit: desired.ServerStartLimit,
		Wants: "the server listens on " + address,
		Advice: fmt.Sprintf("Check that port (now %d) is the one the server listens on, that it does so on 127.0.0.1 or on all addresses, "+
			"and that it does not take longer.", settings.Port),
	}
	if settings.HealthPath != "" {
		start.Wants = fmt.Sprintf("GET %s at %s is answered, with a status below 500", settings.HealthPath, address)
		start.Advice = fmt.Sprintf("Check healthPath, and %s", strings.ToLower(start.Advice[:1])+start.Advice[1:])
	}
	return start
}

// starting tells the waits of every healthy start from those that do not end by themselves.
func starting(reason string) bool {
	return reason == "" || reason == "PodInitializing" || reason == "ContainerCreating" || strings.HasPrefix(reason, "Pulling")
}
