package statusreport

import (
	"cmp"
	"fmt"
	"io"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

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
}

// KeysOf takes the keys out of a server's status.
func KeysOf(server v1alpha1.MCPServer) Keys {
	return Keys{
		Namespace: server.Namespace, Name: server.Name, Pods: server.Status.Replicas,
		Keys: append([]v1alpha1.KeyStatus{}, server.Status.Keys...),
	}
}

// Write writes a table of them as of now.
func (k Keys) Write(out io.Writer, now time.Time) error {
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

// age is "-" for a time that nobody noted.
func age(since metav1.Time, now time.Time) string {
	if since.IsZero() {
		return "-"
	}
	return duration.HumanDuration(now.Sub(since.Time))
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
		return text + "signs no more, and verifies until no token of its can be alive."
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
