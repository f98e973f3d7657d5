package verify_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

func testClock() time.Time { return now }

func TestWhatScreenLeavesToTheSignature(t *testing.T) {
	b := newFixture(t)
	verifier := b.verifier(testClock)
	for name, raw := range map[string]string{"good": b.good(), "forged": b.sign(b.unused, b.header(), b.claims()), "cut off": strings.TrimRight(b.good(), "-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")} {
		candidate, denial := verifier.Screen(raw)
		if denial != nil || candidate.Verified() || candidate.Provider() != "one" || candidate.KeyID() != b.ed.ID() {
			t.Errorf("%s: %+v %+v", name, candidate, denial)
		}
		if principal, denial := candidate.Verify(); (denial == nil) != (name == "good") || principal.Valid() != (name == "good") {
			t.Errorf("%s: %+v %+v", name, principal, denial)
		}
	}
	if principal, denial := (verify.Candidate{}).Verify(); denial == nil || principal.Valid() {
		t.Error("a Candidate that nobody screened was accepted")
	}
	// What names an unknown key tells whose: somebody may fetch it.
	candidate, denial := verifier.Screen(b.sign(b.unused, with(b.header(), "kid", "new"), b.claims()))
	if denial == nil || denial.Reason != gateapi.ReasonUnknownKey || candidate.Provider() != "one" || candidate.KeyID() != "new" || candidate.Verified() {
		t.Errorf("%+v %+v", candidate, denial)
	}
}

func TestKnownTokens(t *testing.T) {
	b := newFixture(t)
	at := now
	verifier := b.verifier(func() time.Time { return at })
	claims := with(b.claims(), "nbf", now.Unix())
	raw := b.sign(b.ed, b.header(), claims)
	first, denial := verifier.Verify(raw)
	if denial != nil {
		t.Fatal(denial.Reason)
	}
	candidate, denial := verifier.Screen(raw)
	if denial != nil || !candidate.Verified() || candidate.Provider() != "one" || candidate.KeyID() != b.ed.ID() {
		t.Fatalf("the second time: %+v %+v", candidate, denial)
	}
	if second, denial := candidate.Verify(); denial != nil || !reflect.DeepEqual(first, second) {
		t.Errorf("first %+v, then %+v %+v", first, second, denial)
	}
	// One bit, and it is another token.
	for name, other := range map[string]string{"signature": flipped(t, raw), "spelling": respelled(raw)} {
		if candidate, _ := verifier.Screen(other); candidate.Verified() {
			t.Errorf("%s: another token was taken for a known one", name)
		}
		if _, denial := verifier.Verify(other); denial == nil || denial.Reason != gateapi.ReasonBadSignature {
			t.Errorf("%s: %+v", name, denial)
		}
	}
	// The clock is asked each time, in both directions.
	for _, c := range []struct {
		at   time.Duration
		want gateapi.Reason
	}{{time.Minute + leeway, gateapi.ReasonExpired}, {time.Minute + leeway - 1, ""}, {-leeway - 1, gateapi.ReasonNotYetValid}, {-leeway, ""}} {
		at = now.Add(c.at)
		if _, denial := verifier.Verify(raw); (denial == nil) != (c.want == "") || denial != nil && denial.Reason != c.want {
			t.Errorf("at %v: %+v, want %q", c.at, denial, c.want)
		}
	}
	// A bad one is bad each time.
	forged := b.sign(b.unused, b.header(), b.claims())
	for range 3 {
		if candidate, _ := verifier.Screen(forged); candidate.Verified() {
			t.Error("a forgery is known")
		}
		if _, denial := verifier.Verify(forged); denial == nil {
			t.Error("a forgery was accepted")
		}
	}
	if candidate, _ := b.verifier(testClock).Screen(raw); candidate.Verified() {
		t.Error("another verifier knows the token")
	}
}

// Whoever fetches keys for unknown ids does so only for tokens that could become good.
func TestAnUnknownKeyIsToldLast(t *testing.T) {
	b := newFixture(t)
	unknown := with(b.header(), "kid", "new")
	for name, c := range map[string]struct {
		header, claims fields
		want           gateapi.Reason
	}{
		"nothing else":      {unknown, b.claims(), gateapi.ReasonUnknownKey},
		"expired":           {unknown, with(b.claims(), "exp", now.Add(-time.Hour).Unix()), gateapi.ReasonExpired},
		"not yet valid":     {unknown, with(b.claims(), "nbf", now.Add(time.Hour).Unix()), gateapi.ReasonNotYetValid},
		"another audience":  {unknown, with(b.claims(), "aud", "urn:other"), gateapi.ReasonWrongAudience},
		"nobody":            {unknown, with(b.claims(), "sub", nil), gateapi.ReasonMissingClaim},
		"another algorithm": {with(unknown, "alg", "RS256"), b.claims(), gateapi.ReasonUnsupportedAlgorithm},
	} {
		b.refused(name, b.sign(b.ed, c.header, c.claims), c.want)
	}
}
