package statusreport

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/texttable"
)

// Keys is what there is to know of the keys of one MCPServer. Its JSON form is documented in docs/status-command.md.
type Keys struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Pods is the number of pods that exist.
	Pods int32 `json:"pods"`
	// Keys are never null.
	Keys []v1alpha1.KeyStatus `json:"keys"`

	// missing says why there are none.
	missing string
}

// KeysOf takes the keys out of a server's status.
func KeysOf(server v1alpha1.MCPServer) Keys {
	keys := Keys{
		Namespace: server.Namespace, Name: server.Name, Pods: server.Status.Replicas,
		Keys:    append([]v1alpha1.KeyStatus{}, server.Status.Keys...),
		missing: "No operator has looked at it yet: check that one runs (kubectl -n gatehouse-system get pods), and that it watches this namespace (--watch-namespaces).",
	}
	if c := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionKeysReady); c != nil {
		keys.missing = fmt.Sprintf("KeysReady is %s, %s: %s", c.Status, c.Reason, c.Message)
	}
	return keys
}

// Write writes a table of them as of now.
func (k Keys) Write(out io.Writer, now time.Time) error {
	if len(k.Keys) == 0 {
		_, err := fmt.Fprintf(out, "MCPServer %s in namespace %s has no keys yet. %s\n", k.Name, k.Namespace, k.missing)
		return err
	}
	return new(texttable.Table).Write(out, keyRows(k.Keys, k.Pods, now)...)
}

func keyRows(keys []v1alpha1.KeyStatus, pods int32, now time.Time) [][]string {
	rows := [][]string{{"PROVIDER", "KID", "ALGORITHM", "PHASE", "SINCE", "PODS"}}
	for _, key := range keys {
		rows = append(rows, []string{
			key.Provider, key.KID, cmp.Or(key.Algorithm, "-"), cmp.Or(string(key.Phase), "-"), age(key.Since, now), seenText(key, pods),
		})
	}
	return rows
}

// seenText tells how many pods were seen to do what the key's phase waits for, or to have loaded a key without phases; "-"
// where nothing is waited for.
func seenText(key v1alpha1.KeyStatus, pods int32) string {
	switch {
	case !key.RefusedTime.IsZero():
		return "all"
	case key.ObservedPods != nil:
		return fmt.Sprintf("%d of %d", *key.ObservedPods, pods)
	default:
		return "-"
	}
}

// KeyStep says in one line where a Managed key is in its life.
func KeyStep(key v1alpha1.KeyStatus, pods int32) string {
	text := "Key " + key.KID + " "
	switch {
	case !key.RefusedTime.IsZero():
		return text + "is refused by every pod."
	case key.Phase == v1alpha1.KeyPublished:
		return text + "is published: " + seenText(key, pods) + " pods accept it."
	case key.Phase == v1alpha1.KeySigning:
		return text + "signs new tokens."
	case key.Phase == v1alpha1.KeyRetiring:
		return text + "signs no more, and verifies until every token it signed has expired."
	case key.Phase == v1alpha1.KeyRetired:
		return text + "is no longer published: " + seenText(key, pods) + " pods refuse it."
	case key.Phase == v1alpha1.KeyRevoked:
		return text + "is revoked: " + seenText(key, pods) + " pods refuse it."
	case key.ObservedPods != nil:
		return text + "is loaded by " + seenText(key, pods) + " pods."
	default:
		return text + "is published."
	}
}
