package serverstatus

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/keyobservation"
)

// How long a gate has been without keys counts from when it said so first, until it says otherwise.
func TestMissingKeys(t *testing.T) {
	s, x := keyobservation.NewStore(), newServer(1)
	name := client.ObjectKeyFromObject(x)
	pods := make([]corev1.Pod, 2)
	for i, uid := range []types.UID{"a", "b"} {
		pods[i].UID, pods[i].Name = uid, "pod-"+string(uid)
	}
	x.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{
		{Name: "managed", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysManaged}}, {Name: "corp", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysRemote}}}}
	says := func(at time.Duration, status metav1.ConditionStatus, words string) {
		t.Helper()
		missing := s.Missing(name, pods)
		got := judgeMissing(x, missing, len(pods), testTime.Add(at))
		if got.Status != status || !strings.Contains(got.Message, words) || (got.Reason != "") != (status != "") {
			t.Errorf("after %s: %+v, want %s %q", at, got, status, words)
		}
	}
	lacks := func(uid types.UID, why string, at time.Duration) {
		s.Load(x, uid, keyobservation.Report{Unserved: map[string]string{"corp": why}}, testTime.Add(at))
	}
	says(time.Hour, "", "")
	lacks("a", "(the gate could not fetch it: refused)", 0)
	says(29*time.Second, "", "")
	if due := s.Missing(name, pods).Due(testTime.Add(29 * time.Second)); due != time.Second {
		t.Errorf("looked at again after %s", due)
	}
	lacks("a", "(the gate could not fetch it: timeout)", 29*time.Second)
	says(30*time.Second, metav1.ConditionFalse,
		"Provider corp: 1 of 2 pods have no keys for it and answer its tokens with 503 (no_keys), among them pod-a (the gate could not fetch it: timeout). Tokens of all other")
	lacks("b", "", 30*time.Second)
	says(time.Minute, metav1.ConditionFalse, "2 of 2 pods")
	s.Load(x, "a", keyobservation.Report{}, testTime.Add(time.Minute))
	says(time.Minute, metav1.ConditionFalse, "1 of 2 pods")
	pods[1].DeletionTimestamp = &metav1.Time{Time: testTime}
	says(time.Hour, "", "")
	pods[1].DeletionTimestamp = nil
	x.Spec.Auth.Providers = x.Spec.Auth.Providers[1:]
	says(time.Hour, metav1.ConditionFalse, "Pods without keys take no traffic.")
	s.Load(x, "b", keyobservation.Report{}, testTime.Add(time.Hour))
	lacks("b", "", time.Hour)
	says(time.Hour, "", "")
}
