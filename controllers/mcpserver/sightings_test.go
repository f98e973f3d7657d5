package mcpserver

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func TestSightings(t *testing.T) {
	s, x := NewSightings(), server(1)
	name := client.ObjectKeyFromObject(x)
	knows := func(want bool) {
		t.Helper()
		if _, refuses := s.Of(name, "a"); (refuses["kid"] == 5) != want {
			t.Errorf("knows %v, want %v", refuses, want)
		}
	}
	knows(false)
	s.follow(name, 5)
	s.Add(x, "a", "kid", 5, false)
	knows(true)
	if len(s.news) != 1 {
		t.Error("nobody is told")
	}
	s.follow(name, 6)
	knows(true)
	s.follow(name, 1) // a backup was restored: step 5 will be another
	knows(false)

	s.Add(x, "a", "kid", 5, false)
	pod := corev1.Pod{}
	pod.UID = "a"
	s.Keep(name, []corev1.Pod{pod})
	knows(true)
	pod.UID = "b"
	s.Keep(name, []corev1.Pod{pod})
	knows(false)

	for range 2 * newsBuffer { // nobody reads, and nobody waits
		s.Add(x, "a", "kid", 5, true)
	}
}

func TestLoaded(t *testing.T) {
	s, x := NewSightings(), server(1)
	name := client.ObjectKeyFromObject(x)
	pods := make([]corev1.Pod, 2)
	pods[0].UID, pods[1].UID = "a", "b"
	counts := func(want int32, wantComplete bool) {
		t.Helper()
		got, complete := s.Loaded(name, pods)
		if got["corp"]["kid"] != want || complete != wantComplete {
			t.Errorf("%d pods have it, all have told: %v; want %d, %v", got["corp"]["kid"], complete, want, wantComplete)
		}
	}
	counts(0, false)
	load := func(pod types.UID, kids map[string][]string) { s.Load(x, pod, Told{Keys: kids}, noon) }
	load("a", map[string][]string{"corp": {"old", "kid"}, "other": {"kid"}})
	counts(1, false)
	load("b", map[string][]string{"corp": {"old"}})
	counts(1, true)
	if len(s.news) != 2 {
		t.Error("nobody is told")
	}
	load("b", map[string][]string{"corp": {"old"}}) // no news
	if len(s.news) != 2 {
		t.Error("somebody is told what he knows")
	}
	load("b", map[string][]string{"corp": {"old", "kid"}})
	counts(2, true)
	s.Keep(name, pods[:1])
	counts(1, false)
}

// How long a gate has been without keys counts from when it said so first, until it says otherwise.
func TestMissingKeys(t *testing.T) {
	s, x := NewSightings(), server(1)
	name := client.ObjectKeyFromObject(x)
	pods := make([]corev1.Pod, 2)
	for i, uid := range []types.UID{"a", "b"} {
		pods[i].UID, pods[i].Name = uid, "pod-"+string(uid)
	}
	x.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{
		{Name: "managed", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysManaged}}, {Name: "corp", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysRemote}}}}
	says := func(at time.Duration, status metav1.ConditionStatus, words string) {
		t.Helper()
		missing := s.missing(name, pods)
		got := judgeMissing(x, missing, len(pods), noon.Add(at))
		if got.status != status || !strings.Contains(got.message, words) || (got.reason != "") != (status != "") {
			t.Errorf("after %s: %+v, want %s %q", at, got, status, words)
		}
	}
	lacks := func(uid types.UID, why string, at time.Duration) {
		s.Load(x, uid, Told{Unserved: map[string]string{"corp": why}}, noon.Add(at))
	}
	says(time.Hour, "", "")
	lacks("a", "(the gate could not fetch it: refused)", 0)
	says(29*time.Second, "", "")
	if due := s.missing(name, pods).due(noon.Add(29 * time.Second)); due != time.Second {
		t.Errorf("looked at again after %s", due)
	}
	lacks("a", "(the gate could not fetch it: timeout)", 29*time.Second)
	says(30*time.Second, metav1.ConditionFalse,
		"Provider corp: 1 of 2 pods have no keys for it and answer its tokens with 503 (no_keys), among them pod-a (the gate could not fetch it: timeout). Tokens of all other")
	lacks("b", "", 30*time.Second)
	says(time.Minute, metav1.ConditionFalse, "2 of 2 pods")
	s.Load(x, "a", Told{}, noon.Add(time.Minute))
	says(time.Minute, metav1.ConditionFalse, "1 of 2 pods")
	pods[1].DeletionTimestamp = &metav1.Time{Time: noon}
	says(time.Hour, "", "")
	pods[1].DeletionTimestamp = nil
	x.Spec.Auth.Providers = x.Spec.Auth.Providers[1:]
	says(time.Hour, metav1.ConditionFalse, "Pods without keys take no traffic.")
	s.Load(x, "b", Told{}, noon.Add(time.Hour))
	lacks("b", "", time.Hour)
	says(time.Hour, "", "")
}
