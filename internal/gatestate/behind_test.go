package gatestate

import (
	"slices"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
)

// TestSelfTest: what a gate found by trying itself is evidence against it, and no message says what nobody asked.
func TestSelfTest(t *testing.T) {
	for said, want := range map[string]struct {
		grade  authhealth.Grade
		reason string
	}{
		"passed": {}, "pending": {}, "no token: dial tcp 127.0.0.1:8080: connection refused": {},
		`forgery for main: got status 200 and reason "", want 401 and "bad_signature"`: {authhealth.Open, v1alpha1.ReasonInvalidTokenAccepted},
		`no token: got status 403 and reason "", want 401 and "missing_token"`:         {authhealth.Failed, v1alpha1.ReasonWrongAnswer},
	} {
		got := SelfTested(admin.State{SelfTest: said}, noon)
		if (got == nil) != (want.reason == "") || got != nil && (got.Grade != want.grade || got.Reason != want.reason || !got.Confirmed) {
			t.Errorf("%s: %+v", said, got)
		}
	}
}

// A kubelet takes its time to bring a new key to a pod. All others must be there.
func TestDueKeys(t *testing.T) {
	for name, c := range map[string]struct {
		phase rotation.Phase
		since time.Duration
		due   bool
	}{
		"just published":              {rotation.Published, 0, false},
		"published, and on its way":   {rotation.Published, Loading - 1, false},
		"published for long enough":   {rotation.Published, Loading, true},
		"the one that signs":          {rotation.Signing, 0, true},
		"on its way out":              {rotation.Retiring, 0, true},
		"withdrawn, however long ago": {rotation.Retired, time.Hour, false},
		"revoked, however long ago":   {rotation.Revoked, time.Hour, false},
	} {
		set := rotation.Set{Keys: []rotation.Key{{ID: "k", Phase: c.phase, Since: noon.Add(-c.since)}}}
		if got := DueKeys(set, noon); slices.Contains(got, "k") != c.due {
			t.Errorf("%s: %v", name, got)
		}
	}
}
