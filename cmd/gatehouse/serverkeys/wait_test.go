package serverkeys

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli/clitest"
)

// With --wait each step of the status is a line, and the last one that of what was asked for.
func (s *apiServer) testWaiting(t *testing.T) {
	observed := func(key v1alpha1.KeyStatus, pods int32) v1alpha1.KeyStatus {
		key.ObservedPods = &pods
		return key
	}
	// waiting runs an order, and writes what the operator says once the line before it was printed.
	waiting := func(t *testing.T, name string, do func(keyOrder) error, steps []followedStep) string {
		t.Helper()
		server := s.signed(t, name)
		var out clitest.Buffer
		o := newKeyOrder(name, &out)
		o.wait = true
		o.now = func() time.Time { return signingSince }
		done := make(chan error, 1)
		go func() { done <- do(o) }()
		for _, step := range steps {
			for deadline := time.Now().Add(20 * time.Second); !strings.Contains(out.String(), step.after); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("no %q in\n%s", step.after, out.String())
				}
			}
			s.says(t, server, 2, step.keys...)
		}
		clitest.Must(t, <-done)
		return out.String()
	}
	t.Run("rotate", func(t *testing.T) {
		said := waiting(t, "rotates", func(o keyOrder) error { return o.rotate(t.Context(), s) }, []followedStep{
			{"is asked", []v1alpha1.KeyStatus{keyWithPhase("k1", v1alpha1.KeySigning), observed(keyWithPhase("k2", v1alpha1.KeyPublished), 0)}},
			{"0 of 2", []v1alpha1.KeyStatus{keyWithPhase("k1", v1alpha1.KeySigning), observed(keyWithPhase("k2", v1alpha1.KeyPublished), 1)}},
			{"1 of 2", []v1alpha1.KeyStatus{keyWithPhase("k1", v1alpha1.KeyRetiring), keyWithPhase("k2", v1alpha1.KeySigning)}},
		})
		golden(t, "rotate-wait.txt", said)
	})
	t.Run("revoke", func(t *testing.T) {
		said := waiting(t, "revokes", func(o keyOrder) error { return o.revoke(t.Context(), s, "k1") }, []followedStep{
			{"is asked", []v1alpha1.KeyStatus{observed(keyWithPhase("k1", v1alpha1.KeyRevoked), 1), keyWithPhase("k2", v1alpha1.KeySigning)}},
			{"1 of 2", []v1alpha1.KeyStatus{refused(keyWithPhase("k1", v1alpha1.KeyRevoked)), keyWithPhase("k2", v1alpha1.KeySigning)}},
		})
		golden(t, "revoke-wait.txt", said)
	})
	t.Run("in vain", func(t *testing.T) {
		s.signed(t, "vain")
		var out clitest.Buffer
		o := newKeyOrder("vain", &out)
		o.wait, o.timeout = true, 100*time.Millisecond
		clitest.ExpectError(t, o.rotate(t.Context(), s), "no operator has taken that up within 100ms")
	})
	t.Run("without an operator", func(t *testing.T) {
		s.signed(t, "alone")
		var out clitest.Buffer
		o := newKeyOrder("alone", &out)
		o.wait, o.begun = true, 100*time.Millisecond
		began := time.Now()
		err := o.revoke(t.Context(), s, "k1")
		clitest.ExpectError(t, err, "no operator has taken that up within 100ms. Does one run (kubectl -n gatehouse-system get pods)")
		if took := time.Since(began); took > o.timeout/2 {
			t.Errorf("it took %s", took)
		}
	})
	t.Run("half done", func(t *testing.T) {
		server := s.signed(t, "half")
		s.says(t, server, 2, observed(keyWithPhase("k1", v1alpha1.KeyRevoked), 1), keyWithPhase("k2", v1alpha1.KeySigning))
		var out clitest.Buffer
		o := newKeyOrder("half", &out)
		o.wait, o.begun, o.timeout = true, time.Millisecond, 200*time.Millisecond
		clitest.ExpectError(t, o.revoke(t.Context(), s, "k1"), "not done within 200ms; the operator goes on")
	})
	t.Run("until it is deleted", func(t *testing.T) {
		server := s.signed(t, "deleted")
		var out clitest.Buffer
		o := newKeyOrder("deleted", &out)
		o.wait = true
		done := make(chan error, 1)
		go func() { done <- o.rotate(t.Context(), s) }()
		for deadline := time.Now().Add(20 * time.Second); !strings.Contains(out.String(), "is asked"); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("nothing was asked for")
			}
		}
		clitest.Must(t, s.Delete(t.Context(), server))
		clitest.ExpectError(t, <-done, "MCPServer demo/deleted was deleted meanwhile")
	})
}

// golden compares a text with that of a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		clitest.Must(t, os.MkdirAll("testdata", 0o755))
		clitest.Must(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	clitest.Must(t, err)
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it anew):\n%s", path, got)
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

// followedStep is what the operator says of the keys after a text was printed.
type followedStep struct {
	after string
	keys  []v1alpha1.KeyStatus
}
