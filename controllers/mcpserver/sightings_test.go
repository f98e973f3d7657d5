package mcpserver

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

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
