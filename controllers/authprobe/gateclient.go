package authprobe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/podstate"
	"github.com/mcp-gatehouse/gatehouse/internal/probeplan"
)

// gateClient asks gates on their admin ports who they are.
type gateClient struct {
	http    *http.Client
	now     func() time.Time
	timeout time.Duration
}

// newGateClient asks the gates of a server.
func newGateClient(r *Reconciler, server *v1alpha1.MCPServer) gateClient {
	return gateClient{http: r.HTTP, now: r.Now, timeout: desired.Resolve(server).Probe.Timeout}
}

// identify asks the gate's admin port who it is.
func (c gateClient) identify(ctx context.Context, pod corev1.Pod, use probeplan.Credentials) (admin.State, *authhealth.Evidence) {
	out := &authhealth.Evidence{At: c.now(), Grade: authhealth.Unknown, Question: "identity", Expected: "the proof of the gate of this pod"}
	where, err := podstate.Address(pod, desired.AdminPortName)
	if err != nil {
		out.Reason, out.Seen = v1alpha1.ReasonWrongPodAnswered, err.Error()
		out.Message = fmt.Sprintf("It has no port %s where its gate could be asked. If it stays so, delete the pod.", desired.AdminPortName)
		return admin.State{}, out
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	state, err := (&admin.Client{HTTP: c.http, Key: use.Admin, Former: use.Former, Now: c.now}).State(ctx, "http://"+where, string(pod.UID))
	if err == nil {
		return state, nil
	}
	if errors.Is(err, admin.ErrUnreachable) {
		out.Cut = errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)
		out.Reason, out.Seen = v1alpha1.ReasonUnreachable, "no answer of the admin port "+where
		how := "gets no answer of"
		if errors.Is(err, context.DeadlineExceeded) {
			how = fmt.Sprintf("got no answer within %s of", c.timeout)
		}
		out.Message = fmt.Sprintf("The operator %s the gate's admin port %s: look at the pod, at NetworkPolicies and at the mesh, if there is one.", how, where)
		return admin.State{}, out
	}
	out.Reason, out.Seen = v1alpha1.ReasonWrongPodAnswered, "an answer without that proof"
	out.Message = fmt.Sprintf("What answers on %s could not prove to be the gate of this pod, so it was sent no token. If it stays so, delete the pod.", where)
	return admin.State{}, out
}

// hearing asks the gate of a pod who it is, has questions put to it, and asks again: evidence is about one process.
// What lets somebody in needs no proof of who it is, so where put says that this is decided the gate is not asked again.
// failure is the evidence that it could not prove who it is.
func (c gateClient) hearing(
	ctx context.Context, pod corev1.Pod, use probeplan.Credentials, put func(gate string, before admin.State) (decided bool, err error),
) (after admin.State, failure *authhealth.Evidence, err error) {
	before, failure := c.identify(ctx, pod, use)
	if failure != nil {
		return before, failure, nil
	}
	gate, err := podstate.Address(pod, desired.GatePortName)
	if err != nil {
		return before, nil, err
	}
	decided, err := put(gate, before)
	if err = errors.Join(err, ctx.Err()); decided || err != nil {
		return before, nil, err
	}
	after, failure = c.identify(ctx, pod, use)
	if failure == nil && after.Instance != before.Instance {
		return after, nil, errors.New("the gate was restarted during the round")
	}
	return after, failure, nil
}
