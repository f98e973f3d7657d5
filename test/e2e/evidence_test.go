//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// evidence gathers what explains a failure: the objects of a namespace but its Secrets, its events, the logs of its
// containers, and those of the operator since then. What cannot be had is said in its place.
func evidence(ctx context.Context, namespace string, since time.Time) string {
	var out strings.Builder
	for _, list := range []client.ObjectList{
		&v1alpha1.MCPServerList{}, &appsv1.DeploymentList{}, &corev1.PodList{}, &corev1.ServiceList{},
		&discoveryv1.EndpointSliceList{}, &networkingv1.NetworkPolicyList{},
	} {
		writeObjects(ctx, &out, list, namespace)
	}
	writeEvents(ctx, &out, namespace)
	writeLogs(ctx, &out, since, client.InNamespace(namespace))
	writeLogs(ctx, &out, since, operatorLabels)
	return out.String()
}

// operatorLabels find the operator wherever it runs.
var operatorLabels = client.MatchingLabels{"app.kubernetes.io/name": "gatehouse", "app.kubernetes.io/component": "operator"}

func writeObjects(ctx context.Context, out *strings.Builder, list client.ObjectList, namespace string) {
	heading(out, "%T", list)
	if err := k8s.List(ctx, list, client.InNamespace(namespace)); err != nil {
		fmt.Fprintln(out, err)
		return
	}
	data, err := yaml.Marshal(list)
	if err != nil {
		fmt.Fprintln(out, err)
	}
	// Managed fields are as long as the rest and say nothing here.
	hidden := false
	for line := range strings.Lines(string(data)) {
		trimmed := strings.TrimLeft(line, " ")
		indent := len(line) - len(trimmed)
		switch {
		case trimmed == "managedFields:\n":
			hidden = true
		case hidden && indent == 4 && !strings.HasPrefix(trimmed, "- "):
			hidden = false
		}
		if !hidden {
			out.WriteString(line)
		}
	}
}

func writeEvents(ctx context.Context, out *strings.Builder, namespace string) {
	heading(out, "events")
	var events corev1.EventList
	if err := k8s.List(ctx, &events, client.InNamespace(namespace)); err != nil {
		fmt.Fprintln(out, err)
	}
	for _, e := range events.Items {
		at := e.LastTimestamp.Time
		if at.IsZero() {
			at = e.EventTime.Time
		}
		fmt.Fprintf(out, "%s %s %s/%s: %s\n", at.Format(time.TimeOnly), e.Reason, e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Message)
	}
}

func writeLogs(ctx context.Context, out *strings.Builder, since time.Time, which client.ListOption) {
	var pods corev1.PodList
	if err := k8s.List(ctx, &pods, which); err != nil {
		fmt.Fprintln(out, err)
	}
	for _, pod := range pods.Items {
		for _, c := range append(append([]corev1.ContainerStatus(nil), pod.Status.InitContainerStatuses...), pod.Status.ContainerStatuses...) {
			writeLog(ctx, out, pod, corev1.PodLogOptions{Container: c.Name, SinceTime: &metav1.Time{Time: since}})
			if c.RestartCount > 0 {
				writeLog(ctx, out, pod, corev1.PodLogOptions{Container: c.Name, Previous: true})
			}
		}
	}
}

func writeLog(ctx context.Context, out *strings.Builder, pod corev1.Pod, options corev1.PodLogOptions) {
	heading(out, "log of pod %s, container %s, previous %t", pod.Name, options.Container, options.Previous)
	lines := int64(200)
	options.TailLines = &lines
	log, err := typed.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &options).DoRaw(ctx)
	if err != nil {
		fmt.Fprintln(out, err)
	}
	out.Write(log)
}

func heading(out *strings.Builder, format string, args ...any) {
	fmt.Fprintf(out, "\n=== "+format+"\n", args...)
}
