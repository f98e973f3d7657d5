package keyturn

import (
	"crypto/rand"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/turnover"
)

// sessionsLast is how long a session can be used after the secret that sealed it was replaced.
const sessionsLast = 24 * time.Hour

// GateSecret is one look at the secret that gates share with the operator.
type GateSecret struct {
	In turnover.Inputs
	// Stored is the set as it was read; its zero value is none. Next is that after the step that is due, if any, and Data the
	// same for the Secret.
	Stored, Next turnover.Set
	Data         map[string][]byte
}

// TurnOver reads the gate's secret, or makes the first, and takes the step of its turnover that is due. Nothing of it is so
// before the Secret is written, which fails if the Secret was written in between.
func TurnOver(server *v1alpha1.MCPServer, secret *corev1.Secret, pods Pods) (GateSecret, error) {
	t, found, err := GateSecret{In: turnoverInputs(server, pods)}, false, error(nil)
	if t.Stored, found = turnover.Decode(secret.Data, pods.At, admin.SecretID); found {
		t.Next, err = turnover.Next(t.Stored, pods.At, t.In)
	} else {
		t.Next, err = turnover.New(t.In, pods.At)
	}
	if err == nil {
		t.Data, err = turnover.Encode(t.Next)
	}
	if err != nil {
		return GateSecret{}, err
	}
	return t, nil
}

// turnoverInputs are what people ask for, and what gates say of their secrets.
func turnoverInputs(server *v1alpha1.MCPServer, pods Pods) turnover.Inputs {
	in := turnover.Inputs{
		Request: desired.TurnoverRequest(server), Keep: sessionsLast, Fresh: freshSecret, Parked: desired.Resolve(server).Replicas == 0,
	}
	for _, pod := range pods.All {
		if !isAsked(pod) || isOverdue(pod, pods.At) {
			continue
		}
		ids := pods.Observed.Secrets(types.NamespacedName{Namespace: server.Namespace, Name: server.Name}, pod.UID)
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

// IDs names the secrets that gates mount, for mountedRevision: a version would be known only once the Secret was written.
func (t GateSecret) IDs(name string) []string {
	out := []string{name}
	for _, generation := range []turnover.Generation{t.Next.Current, t.Next.Next, t.Next.Previous} {
		out = append(out, generation.ID)
	}
	return out
}

// Due is the time until the turnover is to be looked at again; 0 is never.
func (t GateSecret) Due(now time.Time) time.Duration {
	out := t.Next.Outlook(now, t.In)
	if len(out.Pods) > 0 || out.Phase != turnover.Resting && out.After == 0 {
		return observationPause
	}
	return out.After
}

// turnoverNews are the Events of a turnover, by the phase that begins.
var turnoverNews = map[turnover.Phase]string{
	turnover.Published: "A new secret of the gate is published, as asked for.",
	turnover.Keeping:   "Every gate seals sessions with the new secret. The one before it still opens them for " + sessionsLast.String() + ".",
	turnover.Resting:   "The former secret of the gate is gone from every gate: the turnover is done.",
}

// News is what to tell of a step that was stored; empty for nothing.
func (t GateSecret) News() string {
	if t.Stored.Phase == "" || t.Stored.Phase == t.Next.Phase {
		return ""
	}
	return turnoverNews[t.Next.Phase]
}
