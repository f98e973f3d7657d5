package keyobservation

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

func fixture() *v1alpha1.MCPServer {
	return &v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "ns", UID: "uid"}}
}

var Noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func TestStore(t *testing.T) {
	s, x := NewStore(), fixture()
	name := client.ObjectKeyFromObject(x)
	knows := func(want bool) {
		t.Helper()
		if _, refuses := s.Of(name, "a"); (refuses["kid"] == 5) != want {
			t.Errorf("knows %v, want %v", refuses, want)
		}
	}
	knows(false)
	s.Follow(name, 5)
	s.Add(x, "a", "kid", 5, false)
	knows(true)
	if len(s.News) != 1 {
		t.Error("nobody is told")
	}
	s.Follow(name, 6)
	knows(true)
	s.Follow(name, 1) // a backup was restored: step 5 will be another
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
	s, x := NewStore(), fixture()
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
	load := func(pod types.UID, kids map[string][]string) { s.Load(x, pod, Report{Keys: kids}, Noon) }
	load("a", map[string][]string{"corp": {"old", "kid"}, "other": {"kid"}})
	counts(1, false)
	load("b", map[string][]string{"corp": {"old"}})
	counts(1, true)
	if len(s.News) != 2 {
		t.Error("nobody is told")
	}
	load("b", map[string][]string{"corp": {"old"}}) // no news
	if len(s.News) != 2 {
		t.Error("somebody is told what he knows")
	}
	load("b", map[string][]string{"corp": {"old", "kid"}})
	counts(2, true)
	s.Keep(name, pods[:1])
	counts(1, false)
}
