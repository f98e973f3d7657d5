package podlogs

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
)

const (
	// logLines and logBytes are how much of the end of a log is read; of that, diagnosis quotes two lines.
	logLines = 20
	logBytes = 4 << 10
	// logsTimeout bounds one attempt to read the end of a log.
	logsTimeout = 5 * time.Second
	// logsDenied is how long a refusal of the API server is taken for its word on all logs.
	logsDenied = time.Minute
	// maxTails bounds what is remembered.
	maxTails = 1024
)

// Reader reads how the logs of containers end that have crashed without a word: the kubelet tells the end of a log itself,
// but not of a container that exited with code 0 or whose log was empty to it. The operator has no right to read logs
// unless it was given one (config/diagnose-logs).
type Reader struct {
	// Tail reads the end of the log of a container; of the one before the last restart, if previous.
	Tail func(ctx context.Context, pod types.NamespacedName, container string, previous bool) (string, error)
	// Now is the clock.
	Now func() time.Time

	mu sync.Mutex
	// tails by container id: what has ended says no more.
	tails  map[string]string
	denied time.Time
	told   bool
}

// NewReader reads from the API server of the configuration.
func NewReader(config *rest.Config) (*Reader, error) {
	client, err := corev1client.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	tail := func(ctx context.Context, pod types.NamespacedName, container string, previous bool) (string, error) {
		text, err := client.Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
			Container: container, Previous: previous, TailLines: ptr.To(int64(logLines)), LimitBytes: ptr.To(int64(logBytes)),
		}).DoRaw(ctx)
		return string(text), err
	}
	return &Reader{Tail: tail, Now: time.Now}, nil
}

// Complete gives the crashed containers of pods the end of their log for a termination message, where they have none. A
// log that cannot be read leaves them as they are; that there is no right to is told once. A nil Logs does nothing.
func (l *Reader) Complete(ctx context.Context, pods []corev1.Pod) {
	if l == nil {
		return
	}
	for _, pod := range pods {
		name := types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}
		for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
			if ended := diagnosis.EndOf(status); ended != nil && ended.Message == "" && pod.DeletionTimestamp == nil {
				ended.Message = l.tail(ctx, name, status.Name, *ended, ended != status.State.Terminated)
			}
		}
	}
}

// isKnown gives a tail that was read, and "" while the operator may read none.
func (l *Reader) isKnown(container string) (text string, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text, known = l.tails[container]
	return text, known || l.Now().Before(l.denied)
}

// tail is how the log of a container ends; empty if that cannot be found out.
func (l *Reader) tail(ctx context.Context, pod types.NamespacedName, container string, ended corev1.ContainerStateTerminated, previous bool) string {
	if text, known := l.isKnown(ended.ContainerID); known {
		return text
	}
	// Without the lock, and not for long: a node that does not answer must not keep other servers waiting.
	ctx, cancel := context.WithTimeout(ctx, logsTimeout)
	defer cancel()
	text, err := l.Tail(ctx, pod, container, previous)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case apierrors.IsForbidden(err):
		l.denied = l.Now().Add(logsDenied)
		if !l.told {
			logf.FromContext(ctx).Info("--diagnose-logs is given, and the operator may not read logs: " +
				"apply config/diagnose-logs, which lets it get pods/log, or leave the flag out")
		}
		l.told = true
		return ""
	case err != nil:
		logf.FromContext(ctx).V(1).Info("cannot read a log", "pod", pod.Name, "container", container, "error", err.Error())
		return ""
	}
	if l.tails == nil || len(l.tails) >= maxTails {
		l.tails = map[string]string{}
	}
	l.tails[ended.ContainerID] = text
	return text
}
