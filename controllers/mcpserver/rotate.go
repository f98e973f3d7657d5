package mcpserver

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	mcpac "github.com/mcp-gatehouse/gatehouse/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
)

// turn is one look at the keys of a Managed provider.
type turn struct {
	provider string
	in       rotation.Inputs
	// stored are the keys as they were read; its zero value is none. next are those after the step that is due, if any.
	stored, next rotation.Set
}

// rotate reads the keys of a Managed provider, or makes the first, and takes the step that is due. Nothing of it is so
// before the Secret is written, which fails if the Secret was written in between.
func (r *Reconciler) rotate(server *v1alpha1.MCPServer, provider desired.Provider, secret *corev1.Secret, seen *observed) error {
	now := r.Now()
	t := turn{provider: provider.Name}
	file, record := authproxy.KeysFile(provider.Name), desired.RotationFile(provider.Name)
	if _, found := secret.Data[file]; !found {
		file, record = renamed(secret.Data, file, record)
	}
	data, found := secret.Data[file]
	var err error
	if found {
		if t.stored, err = rotation.Decode(data, secret.Data[record], now); err != nil {
			return &problem{v1alpha1.ConditionKeysReady, v1alpha1.ReasonKeysUnusable, fmt.Sprintf(
				"Secret %s, key %s, cannot be used: %v. Pods keep the keys they have. Restore it from a backup, or delete the Secret to have a new key made, which ends all tokens of this server.",
				secret.Name, file, err)}
		}
	}
	r.Sightings.follow(client.ObjectKeyFromObject(server), t.stored.Step)
	t.in = r.rotationInputs(server, provider, seen.pods)
	if found {
		t.next, err = rotation.Next(t.stored, now, t.in)
	} else {
		t.next, err = rotation.New(provider.Managed, t.in.Request, now)
	}
	if err != nil {
		return err
	}
	_, state, err := rotation.Encode(t.next)
	if err != nil {
		return err
	}
	seen.turns = append(seen.turns, t)
	seen.keys[provider.Name], seen.rotations[provider.Name] = t.next.Published(), state
	return nil
}

// renamed gives the data keys of the key set that a Managed provider has under its former name: that of the Secret, if it has
// one. A server has one such provider, and another name for it must not cost the tokens of all its clients.
func renamed(data map[string][]byte, file, record string) (formerFile, formerRecord string) {
	for name := range data {
		former, isRecord := strings.CutSuffix(name, desired.RotationFile(""))
		if _, found := data[authproxy.KeysFile(former)]; isRecord && found {
			return authproxy.KeysFile(former), name
		}
	}
	return file, record
}

// rotationInputs are what people ask for, and what pods were seen to do.
func (r *Reconciler) rotationInputs(server *v1alpha1.MCPServer, provider desired.Provider, pods []corev1.Pod) rotation.Inputs {
	in := rotation.Inputs{
		Algorithm: provider.Managed,
		Interval:  provider.Rotation.Interval,
		Overlap:   provider.Rotation.Overlap,
		Request:   desired.RotationRequest(server),
		Revoke:    server.Annotations[v1alpha1.AnnotationRevokeKey],
		Parked:    desired.Resolve(server).Replicas == 0,
	}
	name := client.ObjectKeyFromObject(server)
	for _, pod := range pods {
		if !isAsked(pod) {
			continue
		}
		seen := rotation.Pod{Name: pod.Name, Overdue: r.isOverdue(pod)}
		seen.Accepts, seen.Refuses = r.Sightings.Of(name, pod.UID)
		in.Pods = append(in.Pods, seen)
	}
	return in
}

// isAsked reports whether a pod is one that the prober asks. Anyone may give a pod our labels; what no ReplicaSet made is
// never sent a token, and so never seen.
func isAsked(pod corev1.Pod) bool {
	made := metav1.GetControllerOf(&pod)
	return made != nil && made.Kind == "ReplicaSet" && CanAnswer(pod)
}

// isOverdue reports whether a pod should have ended by now.
func (r *Reconciler) isOverdue(pod corev1.Pod) bool {
	return pod.DeletionTimestamp != nil && r.Now().After(pod.DeletionTimestamp.Time)
}

// CanAnswer tells that a pod may answer requests: its gate runs, or it takes traffic without one.
func CanAnswer(pod corev1.Pod) bool {
	if pod.Status.PodIP == "" {
		return false
	}
	for _, status := range pod.Status.InitContainerStatuses {
		if status.Name == desired.GateContainer && status.State.Running != nil {
			return true
		}
	}
	return podCondition(pod, corev1.ContainersReady) == corev1.ConditionTrue
}

// told is what status tells: nothing that was not stored.
func (t turn) told(stored bool) rotation.Set {
	if stored {
		return t.next
	}
	return t.stored
}

// statuses are what status tells of the keys.
func (t turn) statuses(stored bool) []*mcpac.KeyStatusApplyConfiguration {
	var out []*mcpac.KeyStatusApplyConfiguration
	for _, key := range t.told(stored).Keys {
		status := mcpac.KeyStatus().
			WithProvider(t.provider).
			WithKID(key.ID).
			WithAlgorithm(string(key.Algorithm)).
			WithPhase(v1alpha1.KeyPhase(key.Phase)).
			WithSince(metav1.NewTime(key.Since))
		switch {
		case !key.Refused.IsZero():
			status.WithRefusedTime(metav1.NewTime(key.Refused))
		case key.Phase == rotation.Published || key.Phase.Withdrawn():
			status.WithObservedPods(int32(key.Seen(t.in))) //nolint:gosec // a count of pods
		}
		out = append(out, status)
	}
	return out
}

// revokes tells that the step that is due takes a key back that somebody else may have.
func (t turn) revokes() bool {
	before, _ := t.stored.Find(t.in.Revoke)
	after, found := t.next.Find(t.in.Revoke)
	return found && after.Phase == rotation.Revoked && before.Phase != rotation.Revoked
}

// judgeRotation says what a rotation waits for, a revocation first; an empty reason means that none is under way.
func judgeRotation(turns []turn, stored bool, now time.Time) verdict {
	for _, t := range turns {
		if t.revokes() && !stored {
			return verdict{metav1.ConditionFalse, v1alpha1.ReasonKeyRevoked, fmt.Sprintf(
				"Key %s is to be revoked, and is not: every gate accepts it until the rest of the spec can be carried out (see the condition Stalled). "+
					"Mend that first, or take the change back.", t.in.Revoke)}
		}
		told := t.told(stored)
		if len(told.Keys) == 0 {
			continue
		}
		out := told.Outlook(now, t.in)
		switch {
		case out.Key.Phase == rotation.Revoked:
			return verdict{metav1.ConditionFalse, v1alpha1.ReasonKeyRevoked, fmt.Sprintf(
				"Key %s was revoked at %s and is no longer published. Not every pod was seen to refuse it yet%s",
				out.Key.ID, stamp(out.Key.Since), waitingFor(out.Pods))}
		case out.Key.ID != "":
			return verdict{metav1.ConditionTrue, v1alpha1.ReasonKeysRotating, rotating(out) + unknownKey(t)}
		case unknownKey(t) != "":
			return verdict{metav1.ConditionTrue, v1alpha1.ReasonKeysPublished, keysPublished + unknownKey(t)}
		}
	}
	return verdict{}
}

func rotating(out rotation.Outlook) string {
	switch out.Key.Phase {
	case rotation.Published:
		return fmt.Sprintf("The new key %s is published. It signs once every pod was seen to accept it%s", out.Key.ID, waitingFor(out.Pods))
	case rotation.Retiring:
		return fmt.Sprintf("The key %s signs no more since %s. It verifies until no token of its can be alive, for %s.",
			out.Key.ID, stamp(out.Key.Since), out.After.Round(time.Second))
	default:
		return fmt.Sprintf("The key %s is no longer published. Not every pod was seen to refuse it yet%s", out.Key.ID, waitingFor(out.Pods))
	}
}

// unknownKey tells of a revocation that revokes nothing: a slip in an emergency must not go unnoticed.
func unknownKey(t turn) string {
	if _, known := t.next.Find(t.in.Revoke); known || t.in.Revoke == "" {
		return ""
	}
	return fmt.Sprintf(" The annotation %s names no key of this server: compare it with status.keys.", v1alpha1.AnnotationRevokeKey)
}

// maxNamed is how many pods a message names.
const maxNamed = 3

func waitingFor(pods []string) string {
	switch {
	case len(pods) == 0:
		return ": there is no pod to be asked."
	case len(pods) > maxNamed:
		return fmt.Sprintf(": %s and %d more are to come.", strings.Join(pods[:maxNamed], ", "), len(pods)-maxNamed)
	default:
		return ": " + strings.Join(pods, ", ") + " to come."
	}
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// rotationDue is the time until keys are to be looked at again; 0 is never.
func rotationDue(turns []turn, now time.Time) time.Duration {
	var due time.Duration
	for _, t := range turns {
		out := t.next.Outlook(now, t.in)
		due = Sooner(due, out.After)
		if out.Unseen {
			due = Sooner(due, sightingPause)
		}
	}
	return due
}

// sightingPause is how long what pods were seen to do can go unread, if news of it got lost.
const sightingPause = 30 * time.Second
