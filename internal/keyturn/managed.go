package keyturn

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
	"github.com/mcp-gatehouse/gatehouse/internal/requeue"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
)

// Turn is one look at the keys of a Managed provider.
type Turn struct {
	Provider string
	In       rotation.Inputs
	// Stored are the keys as they were read; its zero value is none. Next are those after the step that is due, if any.
	Stored, Next rotation.Set
}

// Told is what status tells: nothing that was not stored.
func (t Turn) Told(stored bool) rotation.Set {
	if stored {
		return t.Next
	}
	return t.Stored
}

// Revokes tells that the step that is due takes a key back that somebody else may have.
func (t Turn) Revokes() bool {
	before, _ := t.Stored.Find(t.In.Revoke)
	after, found := t.Next.Find(t.In.Revoke)
	return found && after.Phase == rotation.Revoked && before.Phase != rotation.Revoked
}

// IsUrgent reports whether a step is due that takes a key back, or that ends its revocation.
func IsUrgent(turns []Turn) bool {
	for _, t := range turns {
		before, _ := t.Stored.Find(t.In.Revoke)
		after, found := t.Next.Find(t.In.Revoke)
		if found && after.Phase == rotation.Revoked && (before.Phase != after.Phase || before.Refused != after.Refused) {
			return true
		}
	}
	return false
}

// Due is the time until keys are to be looked at again; 0 is never.
func Due(turns []Turn, now time.Time) time.Duration {
	var due time.Duration
	for _, t := range turns {
		out := t.Next.Outlook(now, t.In)
		due = requeue.Sooner(due, out.After)
		if out.Unseen {
			due = requeue.Sooner(due, observationPause)
		}
	}
	return due
}

// Managed are the keys that the operator makes for a server.
type Managed struct {
	// Private keys per provider that are published: those of the Secret, after the step that is due, and new ones where it has
	// none.
	Private map[string][]keys.Private
	// Records are what is stored beside them; Turns are what they came from.
	Records map[string][]byte
	Turns   []Turn
}

// Add reads the keys of a Managed provider, or makes the first, and takes the step that is due. Nothing of it is so
// before the Secret is written, which fails if the Secret was written in between.
func (m *Managed) Add(server *v1alpha1.MCPServer, provider desired.Provider, secret *corev1.Secret, pods Pods) error {
	now := pods.At
	t := Turn{Provider: provider.Name}
	file, record := gateapi.KeysFile(provider.Name), desired.RotationFile(provider.Name)
	if _, found := secret.Data[file]; !found {
		file, record = renamed(secret.Data, file, record)
	}
	data, found := secret.Data[file]
	var err error
	if found {
		if t.Stored, err = rotation.Decode(data, secret.Data[record], now); err != nil {
			return &terminal.Error{Condition: v1alpha1.ConditionKeysReady, Reason: v1alpha1.ReasonKeysUnusable, Message: fmt.Sprintf(
				"Secret %s, key %s, cannot be used: %v. Pods keep the keys they have. Restore it from a backup (gatehouse keys import), or delete the Secret to have a new key made, which ends all tokens of this server.",
				secret.Name, file, err)}
		}
	}
	pods.Observed.Follow(types.NamespacedName{Namespace: server.Namespace, Name: server.Name}, t.Stored.Step)
	t.In = rotationInputs(server, provider, pods)
	if found {
		t.Next, err = rotation.Next(t.Stored, now, t.In)
	} else {
		t.Next, err = rotation.New(provider.Managed, t.In.Request, now)
	}
	if err != nil {
		return err
	}
	t.Next = t.Next.WithLost(goneFrom(server, t.Stored), now, t.In)
	_, state, err := rotation.Encode(t.Next)
	if err != nil {
		return err
	}
	m.Turns = append(m.Turns, t)
	if m.Private == nil {
		m.Private, m.Records = map[string][]keys.Private{}, map[string][]byte{}
	}
	m.Private[provider.Name], m.Records[provider.Name] = t.Next.Published(), state
	return nil
}

// goneFrom are the keys that verified tokens, as status says, and are not in the set that is stored: somebody has deleted or
// replaced the Secret, or has restored one from before they were made. A step leaves a record of each key that it withdraws.
func goneFrom(server *v1alpha1.MCPServer, stored rotation.Set) []string {
	var gone []string
	for _, key := range server.Status.Keys {
		verified := key.Phase == v1alpha1.KeyPhase(rotation.Signing) || key.Phase == v1alpha1.KeyPhase(rotation.Retiring)
		if _, found := stored.Find(key.KID); verified && !found {
			gone = append(gone, key.KID)
		}
	}
	return gone
}

// renamed gives the data keys of the key set that a Managed provider has under its former name: that of the Secret, if it has
// one. A server has one such provider, and another name for it must not cost the tokens of all its clients.
func renamed(data map[string][]byte, file, record string) (formerFile, formerRecord string) {
	for name := range data {
		former, isRecord := strings.CutSuffix(name, desired.RotationFile(""))
		if _, found := data[gateapi.KeysFile(former)]; isRecord && found {
			return gateapi.KeysFile(former), name
		}
	}
	return file, record
}

// rotationInputs are what people ask for, and what pods were seen to do.
func rotationInputs(server *v1alpha1.MCPServer, provider desired.Provider, pods Pods) rotation.Inputs {
	in := rotation.Inputs{
		Algorithm: provider.Managed,
		Interval:  provider.Rotation.Interval,
		Overlap:   provider.Rotation.Overlap,
		Request:   desired.RotationRequest(server),
		Revoke:    server.Annotations[v1alpha1.AnnotationRevokeKey],
		Parked:    desired.Resolve(server).Replicas == 0,
	}
	name := types.NamespacedName{Namespace: server.Namespace, Name: server.Name}
	for _, pod := range pods.All {
		if !isAsked(pod) {
			continue
		}
		seen := rotation.Pod{Name: pod.Name, Overdue: isOverdue(pod, pods.At)}
		seen.Accepts, seen.Refuses = pods.Observed.Of(name, pod.UID)
		in.Pods = append(in.Pods, seen)
	}
	return in
}
