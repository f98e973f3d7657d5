package podlogs

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func podWith(statuses ...corev1.ContainerStatus) corev1.Pod {
	return corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: statuses}}
}

// terminatedStatus is the status of a container that was restarted after it had said this to the kubelet.
func terminatedStatus(said string) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: "mcp", LastTerminationState: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{ContainerID: "c://1", Message: said},
	}}
}

func TestLogsOfCrashedContainers(t *testing.T) {
	running := terminatedStatus("")
	running.Ready = true
	dying := podWith(terminatedStatus(""))
	dying.DeletionTimestamp = &metav1.Time{Time: now}
	down := corev1.ContainerStatus{Name: "mcp", State: terminatedStatus("").LastTerminationState}
	const stdio = ". A server that speaks MCP over stdio ends like that, because nothing writes to its standard input: have it serve HTTP, with args or env."
	for name, c := range map[string]struct {
		pod      corev1.Pod
		want     string // the finding; empty for none
		previous bool
	}{
		"it said nothing":       {podWith(terminatedStatus("")), `container mcp exited with code 0, as if its work was done; the container said: "cannot go on | token=[redacted] failed"` + stdio, true},
		"it is still down":      {podWith(down), `container mcp exited with code 0, as if its work was done; the container said: "cannot go on | token=[redacted] failed"` + stdio, false},
		"the kubelet has it":    {podWith(terminatedStatus("fatal: no PORT")), `container mcp exited with code 0, as if its work was done; the container said: "fatal: no PORT"` + stdio, false},
		"it runs again":         {podWith(running), "", false},
		"its pod is on its way": {dying, `container mcp exited with code 0, as if its work was done` + stdio, false},
	} {
		logs := &Reader{Now: func() time.Time { return now }, Tail: func(_ context.Context, _ types.NamespacedName, container string, previous bool) (string, error) {
			if container != "mcp" || previous != c.previous {
				t.Errorf("%s: asked for container %s, previous %v", name, container, previous)
			}
			return "starting\ncannot go on\ntoken=Zx9Kq2LmT7vB4nW8sY3dF6hJ failed\n", nil
		}}
		logs.Complete(t.Context(), []corev1.Pod{c.pod})
		got := ""
		status := c.pod.Status.ContainerStatuses[0]
		if found := diagnosis.EndOf(status); found != nil {
			got = diagnosis.Exit(status.Name, *found, status.RestartCount, diagnosis.Start{})
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
	var off *Reader
	off.Complete(t.Context(), []corev1.Pod{podWith(terminatedStatus(""))})
}

// Without the right to read logs all goes on as without the flag, and is said once.
func TestLogsThatMayNotBeRead(t *testing.T) {
	var written strings.Builder
	asked, clock := 0, now
	ctx := logf.IntoContext(t.Context(), zap.New(zap.WriteTo(&written)))
	told := func() int { return strings.Count(written.String(), "config/diagnose-logs") }
	answer := error(apierrors.NewForbidden(corev1.Resource("pods/log"), "x-1", errors.New("no")))
	logs := &Reader{Now: func() time.Time { return clock }, Tail: func(context.Context, types.NamespacedName, string, bool) (string, error) {
		asked++
		return "at last", answer
	}}
	said := func() string {
		pod := podWith(terminatedStatus(""))
		logs.Complete(ctx, []corev1.Pod{pod})
		return pod.Status.ContainerStatuses[0].LastTerminationState.Terminated.Message
	}
	for range 3 {
		if got := said(); got != "" || asked != 1 || told() != 1 {
			t.Fatalf("%q, asked %d times, told %d times", got, asked, told())
		}
	}
	clock = clock.Add(logsDenied)
	if said(); asked != 2 || told() != 1 {
		t.Errorf("a minute later: asked %d times, told %d times", asked, told())
	}
	clock, answer = clock.Add(logsDenied), nil
	for range 3 {
		if got := said(); got != "at last" || asked != 3 {
			t.Errorf("once it may: %q, asked %d times", got, asked)
		}
	}
}
