package mcpserver

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/turnover"
)

// sessionsLast is how long a session can be used after the secret that sealed it was replaced.
const sessionsLast = 24 * time.Hour

// secretTurn is one look at the secret that gates share with the operator.
type secretTurn struct {
	in turnover.Inputs
	// stored is the set as it was read; its zero value is none. next is that after the step that is due, if any, and data the
	// same for the Secret.
	stored, next turnover.Set
	data         map[string][]byte
}

// observeGateSecret reads the gate's secret, or makes the first, and takes the step of its turnover that is due. Nothing of it
// is so before the Secret is written, which fails if the Secret was written in between.
func (r *Reconciler) observeGateSecret(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	secret, err := r.readSecret(ctx, server, desired.GateSecretName(server))
	if err != nil {
		return err
	}
	seen.versions[secret.Name] = secret.ResourceVersion
	now, t := r.Now(), secretTurn{in: r.turnoverInputs(server, seen.pods)}
	found := false
	if t.stored, found = turnover.Decode(secret.Data, now, admin.SecretID); found {
		t.next, err = turnover.Next(t.stored, now, t.in)
	} else {
		t.next, err = turnover.New(t.in, now)
	}
	if err != nil {
		return err
	}
	if t.data, err = turnover.Encode(t.next); err != nil {
		return err
	}
	seen.secretTurn = t
	return nil
}

// turnoverInputs are what people ask for, and what gates say of their secrets.
func (r *Reconciler) turnoverInputs(server *v1alpha1.MCPServer, pods []corev1.Pod) turnover.Inputs {
	in := turnover.Inputs{
		Request: desired.TurnoverRequest(server), Keep: sessionsLast, Fresh: freshSecret, Parked: desired.Resolve(server).Replicas == 0,
	}
	for _, pod := range pods {
		if !isAsked(pod) || r.isOverdue(pod) {
			continue
		}
		ids := r.Sightings.Secrets(client.ObjectKeyFromObject(server), pod.UID)
		in.Pods = append(in.Pods, turnover.Pod{Name: pod.Name, Current: ids.Current, Loaded: ids.Loaded()})
	}
	return in
}

func freshSecret() (turnover.Generation, error) {
	secret := make([]byte, admin.SecretBytes)
	rand.Read(secret) // It never fails.
	id, err := admin.SecretID(secret)
	return turnover.Generation{ID: id, Secret: secret}, err
}

// ids names the secrets that gates mount, for mountedRevision: a version would be known only once the Secret was written.
func (t secretTurn) ids(name string) []string {
	out := []string{name}
	for _, generation := range []turnover.Generation{t.next.Current, t.next.Next, t.next.Previous} {
		out = append(out, generation.ID)
	}
	return out
}

// due is the time until the turnover is to be looked at again; 0 is never.
func (t secretTurn) due(now time.Time) time.Duration {
	out := t.next.Outlook(now, t.in)
	if len(out.Pods) > 0 || out.Phase != turnover.Resting && out.After == 0 {
		return sightingPause
	}
	return out.After
}

// judgeTurnover says what a turnover waits for; an empty reason means that none is under way.
func judgeTurnover(t secretTurn, stored bool, now time.Time) verdict {
	set := t.stored
	if stored {
		set = t.next
	}
	out, message := set.Outlook(now, t.in), ""
	switch set.Phase {
	case turnover.Published:
		message = "The new secret of the gate is published. Sessions are sealed with it once every gate has loaded it" + waitingFor(out.Pods)
	case turnover.Switched:
		message = "The new secret of the gate seals sessions. Not every gate was seen to use it yet" + waitingFor(out.Pods)
	case turnover.Keeping:
		message = fmt.Sprintf("The secret of the gate was replaced at %s. The one before it still opens sessions for %s.",
			stamp(set.Since), out.After.Round(time.Second))
	case turnover.Withdrawing:
		message = "The former secret of the gate is withdrawn. Not every gate was seen to have dropped it yet" + waitingFor(out.Pods)
	default:
		return verdict{}
	}
	return verdict{metav1.ConditionTrue, v1alpha1.ReasonGateSecretRotating, message}
}

// turnoverNews are the Events of a turnover, by the phase that begins.
var turnoverNews = map[turnover.Phase]string{
	turnover.Published: "A new secret of the gate is published, as asked for.",
	turnover.Keeping:   "Every gate seals sessions with the new secret. The one before it still opens them for " + sessionsLast.String() + ".",
	turnover.Resting:   "The former secret of the gate is gone from every gate: the turnover is done.",
}

// announceTurnover sends an Event for a step that was stored.
func (r *Reconciler) announceTurnover(server *v1alpha1.MCPServer, t secretTurn) {
	if news := turnoverNews[t.next.Phase]; news != "" && t.stored.Phase != "" && t.stored.Phase != t.next.Phase {
		r.Events.Eventf(server, nil, corev1.EventTypeNormal, v1alpha1.EventGateSecretRotated, "Reconcile", "%s", news)
	}
}
