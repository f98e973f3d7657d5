package serverstatus

import (
	"fmt"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/conditions"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/turnover"
	"github.com/mcp-gatehouse/gatehouse/internal/keyturn"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
)

// judgeLost says which keys are gone, and what that ended; an empty reason means that none is.
func judgeLost(server *v1alpha1.MCPServer, turns []keyturn.Turn, stored bool) conditions.Verdict {
	for _, t := range turns {
		lost := t.Told(stored).Lost
		if len(lost) == 0 {
			continue
		}
		var ids []string
		until := lost[0].Until(t.In)
		for _, l := range lost {
			ids = append(ids, l.ID)
			if l.Until(t.In).After(until) {
				until = l.Until(t.In)
			}
		}
		return conditions.True(v1alpha1.ReasonKeysReplaced, fmt.Sprintf(
			"Secret %s was deleted, replaced or restored at %s, and no longer has key %s: every token that was signed with it is refused with 401 (unknown_key). "+
				"Clients must get new tokens, or the keys must be restored from a backup (gatehouse keys import %s). This is told until %s, when the last of those tokens has expired.",
			desired.KeysSecretName(server), stamp(lost[0].At), strings.Join(ids, ", "), server.Name, stamp(until)))
	}
	return conditions.Verdict{}
}

// judgeRotation says what a rotation waits for, a revocation first; an empty reason means that none is under way. A step that is
// stored is not yet published: what gates load is in force, nil if this operator has not yet written any.
func judgeRotation(turns []keyturn.Turn, stored bool, inForce *publication.Version, now time.Time) conditions.Verdict {
	for _, t := range turns {
		if t.Revokes() && !stored {
			return conditions.False(v1alpha1.ReasonKeyRevoked, fmt.Sprintf(
				"Key %s is to be revoked, and is not: every gate accepts it until the operator can write the Secret and the ConfigMap with the keys. "+
					"The condition Stalled or the operator's log says what is in the way.", t.In.Revoke))
		}
		told := t.Told(stored)
		if len(told.Keys) == 0 {
			continue
		}
		out := told.Outlook(now, t.In)
		switch {
		case out.Key.Phase == rotation.Revoked:
			return conditions.False(v1alpha1.ReasonKeyRevoked, fmt.Sprintf(
				"Key %s was revoked at %s and %s. Not every pod was seen to refuse it yet%s",
				out.Key.ID, stamp(out.Key.Since), noLonger(t.Provider, out.Key.ID, inForce), waitingFor(out.Pods)))
		case out.Key.ID != "":
			return conditions.True(v1alpha1.ReasonKeysRotating, rotating(t.Provider, out, inForce)+unknownKey(t))
		case unknownKey(t) != "":
			return conditions.True(v1alpha1.ReasonKeysPublished, KeysPublished+unknownKey(t))
		}
	}
	return conditions.Verdict{}
}

// noLonger says of a key that is to be published no more whether it is so.
func noLonger(provider, kid string, inForce *publication.Version) string {
	if inForce != nil && !inForce.Has(provider, kid) {
		return "is no longer published"
	}
	return "may be published still: what gates load could not be written since (see the condition Stalled)"
}

func rotating(provider string, out rotation.Outlook, inForce *publication.Version) string {
	switch {
	case inForce != nil && !inForce.Has(provider, out.Key.ID) && out.Key.Phase == rotation.Published:
		return fmt.Sprintf("The new key %s is made, and not yet published: what gates load could not be written since (see the condition Stalled).", out.Key.ID)
	case out.Key.Phase == rotation.Published:
		return fmt.Sprintf("The new key %s is published. It signs once every pod was seen to accept it%s", out.Key.ID, waitingFor(out.Pods))
	case out.Key.Phase == rotation.Retiring:
		return fmt.Sprintf("The key %s signs no more since %s. It verifies until no token of its can be alive, for %s.",
			out.Key.ID, stamp(out.Key.Since), out.After.Round(time.Second))
	default:
		return fmt.Sprintf("The key %s %s. Not every pod was seen to refuse it yet%s", out.Key.ID, noLonger(provider, out.Key.ID, inForce), waitingFor(out.Pods))
	}
}

// unknownKey tells of a revocation that revokes nothing: a slip in an emergency must not go unnoticed.
func unknownKey(t keyturn.Turn) string {
	if _, known := t.Next.Find(t.In.Revoke); known || t.In.Revoke == "" {
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

// judgeTurnover says what a turnover waits for; an empty reason means that none is under way.
func judgeTurnover(t keyturn.GateSecret, stored bool, now time.Time) conditions.Verdict {
	set := t.Stored
	if stored {
		set = t.Next
	}
	out, message := set.Outlook(now, t.In), ""
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
		return conditions.Verdict{}
	}
	return conditions.True(v1alpha1.ReasonGateSecretRotating, message)
}
