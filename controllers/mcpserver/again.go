package mcpserver

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keyturn"
	"github.com/mcp-gatehouse/gatehouse/internal/requeue"
)

// retryAfter is when a problem that only a user can mend is looked at again: the mend may be on an object that is not
// watched.
const retryAfter = time.Minute

// issuerPause is when a server with a provider of type Cluster is looked at again: no event tells of a new key.
const issuerPause = 5 * time.Minute

// lookAgain is when no event may tell what has changed; 0 is never.
func lookAgain(server *v1alpha1.MCPServer, seen observed, now time.Time) time.Duration {
	again := requeue.Sooner(patience(seen.Pods, desired.Resolve(server).StartBudget(), now), keyturn.Due(seen.Turns, now))
	again = requeue.Sooner(requeue.Sooner(again, seen.keptDue), requeue.Sooner(seen.GateSecret.Due(now), seen.Missing.Due(now)))
	if seen.Waits != "" {
		again = requeue.Sooner(again, turnPause)
	}
	if seen.cluster.URL != "" {
		return requeue.Sooner(again, issuerPause)
	}
	return again
}

// patience is the time until the next starting pod is late, which no event tells.
func patience(pods []corev1.Pod, budget time.Duration, now time.Time) time.Duration {
	var soonest time.Duration
	for _, pod := range pods {
		left := budget - now.Sub(pod.CreationTimestamp.Time)
		if left > 0 && (soonest == 0 || left < soonest) {
			soonest = left + time.Second
		}
	}
	return soonest
}
