package probeplan

import (
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/gatestate"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

func derived(t *testing.T, name string) keys.Private {
	t.Helper()
	key, err := keys.Derive(make([]byte, keys.MasterBytes), name)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// tried are credentials with a managed key and, for corp, the probe key.
func tried(t *testing.T) Credentials {
	t.Helper()
	own, probing := derived(t, "own"), derived(t, "probe")
	return Credentials{
		forwards: true, Expected: gatestate.Expected{ProbeKey: probing.ID(), Kids: map[string][]string{"managed": {own.ID()}, "corp": nil}},
		Controls: []Control{
			{Of: "managed", From: managedKey, Provider: probe.Provider{Name: "managed", Tokens: token.Template{Key: own}}},
			{Of: "corp", From: byProbeKey, Provider: probe.Provider{Name: "corp", Tokens: token.Template{Key: probing}}},
		},
	}
}

// converged is what a gate says that has all of it.
func converged(use Credentials) admin.State {
	now := time.Now()
	return admin.State{
		SelfTest: "passed", PodUID: "pod-1", ProbeKey: use.ProbeKey, Time: now,
		Keys:   map[string][]string{"managed": use.Kids["managed"], "corp": {"k"}},
		Remote: map[string]admin.RemoteKeys{"corp": {LastGood: now.Add(-time.Hour), MaxStaleSeconds: 7200}},
	}
}

func TestWhatAGateCanBeTriedWith(t *testing.T) {
	use := tried(t)
	for name, c := range map[string]struct {
		change func(*admin.State)
		with   string
		behind string
	}{
		"all is there":      {func(*admin.State) {}, "managed,corp", ""},
		"another probe key": {func(s *admin.State) { s.ProbeKey = "other" }, "managed", "probe key"},
		"no probe key":      {func(s *admin.State) { s.ProbeKey = "" }, "managed", "probe key"},
		"keys not fetched yet": {func(s *admin.State) {
			s.Keys["corp"], s.Remote["corp"] = nil, admin.RemoteKeys{}
		}, "managed", "key set of provider corp"},
		"keys that are stale": {func(s *admin.State) { s.Time = s.Time.Add(2 * time.Hour) }, "managed", ""},
		// One that fails is no reason to keep the others' users out; all are.
		"keys that cannot be fetched": {func(s *admin.State) {
			s.Keys["corp"], s.Remote["corp"] = nil, admin.RemoteKeys{LastError: "refused"}
		}, "managed", ""},
		"no managed keys": {func(s *admin.State) { s.Keys["managed"] = nil }, "corp", ""},
		"no keys at all": {func(s *admin.State) {
			s.Keys, s.Remote["corp"] = nil, admin.RemoteKeys{LastError: "refused"}
		}, "", "key set of provider corp"},
		"another managed key": {func(s *admin.State) { s.Keys["managed"] = []string{"x"} }, "managed,corp", "key set of provider managed"},
	} {
		t.Run(name, func(t *testing.T) {
			state := converged(use)
			c.change(&state)
			var with []string
			for _, control := range use.against(state) {
				with = append(with, control.Name)
			}
			if got := strings.Join(with, ","); got != c.with {
				t.Errorf("tried with %s, want %s", got, c.with)
			}
			if part, _, _ := gatestate.Behind(state, "", use.Expected); part != c.behind {
				t.Errorf("%q is behind, want %q", part, c.behind)
			}
		})
	}
}

// A token of the probe key is good on one pod, and credentials are shared by rounds on many.
func TestProbesAreBoundToThePod(t *testing.T) {
	use := tried(t)
	for _, uid := range []string{"pod-1", "pod-2"} {
		state := converged(use)
		state.PodUID = uid
		controls := use.against(state)
		if got := controls[1].Tokens.Claims[gateapi.ProbePodClaim]; got != uid {
			t.Errorf("bound to %v, want %s", got, uid)
		}
		if _, bound := controls[0].Tokens.Claims[gateapi.ProbePodClaim]; bound {
			t.Error("a token of the managed key has the claim as well")
		}
	}
}

func TestAServerThatWantsATokenIsNoFailureOfTheLock(t *testing.T) {
	use := tried(t)
	for name, c := range map[string]struct {
		result probe.Result
		found  bool
	}{
		"the server refuses a probe":         {probe.Result{Case: probe.Valid, Provider: "corp", Outcome: probe.Rejected}, true},
		"the gate refuses a probe":           {probe.Result{Case: probe.Valid, Provider: "corp", Outcome: probe.Rejected, Reason: "wrong_audience"}, false},
		"the server refuses a managed token": {probe.Result{Case: probe.Valid, Provider: "managed", Outcome: probe.Rejected}, false},
		"a probe was let in":                 {probe.Result{Case: probe.Valid, Provider: "corp", Outcome: probe.Passed}, false},
	} {
		report := probe.Report{Results: []probe.Result{c.result}}
		stripped := use
		if stripped.forwards = false; stripped.Unanswered(report, time.Now()) != nil {
			t.Errorf("%s: a server that gets nobody's token refuses clients as well", name)
		}
		got := use.Unanswered(report, time.Now())
		if (got != nil) != c.found || got != nil && (got.Reason != v1alpha1.ReasonProbeCredentialMissing || got.Grade != authhealth.Unknown) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestCredentialsThatWereReplacedDiffer(t *testing.T) {
	use := tried(t)
	before := use.Digest()
	if use.Digest() != before {
		t.Error("the same credentials differ")
	}
	use.Controls[1].Bearer = "a"
	brought := use.Digest()
	use.Controls[1].Bearer = "b"
	if renewed := use.Digest(); brought == before || renewed == brought {
		t.Error("another token is not noticed")
	}
}

func TestNoteTellsWhatWasNotTriedAsAUserIs(t *testing.T) {
	use := tried(t)
	use.Untried = []Untried{{"partner", "authProbe.credential is None."}}
	const want = " Tried with the operator's probe key: corp; the keys of the issuer are loaded." +
		" A valid token of provider partner was not tried; its keys are loaded. The reason: authProbe.credential is None."
	if got := use.Note(); got != want {
		t.Errorf("got %q", got)
	}
	use.Controls[0].From, use.Controls[1].From = BroughtToken, AccountToken
	const others = " Tried with a token of the operator's own ServiceAccount: corp. Tried with the token of authProbe.tokenSecretRef: managed."
	if got := use.Note(); !strings.HasPrefix(got, others) {
		t.Errorf("got %q", got)
	}
	if got := (*Credentials)(nil).Note(); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}

func TestTypesOfTokens(t *testing.T) {
	for want, types := range map[string][]string{"at+jwt": {"JWT", "at+jwt"}, "JWT": {"JWT", ""}, token.NoType: {"", "JWT"}} {
		if got := typeOf(types); got != want {
			t.Errorf("of %q: %s, want %s", types, got, want)
		}
	}
	if got := typeOf(nil); got != token.TypeAccessToken {
		t.Errorf("of none: %s", got)
	}
}
