package authhealth

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
)

// What the server does without its gate is told, and part of no verdict.
func TestNotes(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		pods   []Subject
		want   string // what is added to the message
		bare   v1alpha1.BareServerResult
	}{
		"nothing":               {"", []Subject{{}}, "", ""},
		"it refuses":            {"", []Subject{{bare: "Refuses"}}, "", "Refuses"},
		"it is open":            {"", []Subject{{bare: "Open"}}, " Without its gate the server would let anybody in.", "Open"},
		"any bearer":            {"", []Subject{{bare: "AnyBearer"}}, " Without its gate the server would take any token.", "AnyBearer"},
		"resets":                {"", []Subject{{bare: "Resets"}}, " Without its gate the server resets a request without a good token.", "Resets"},
		"exits":                 {"", []Subject{{bare: "Exits"}}, " Without its gate the server exits at a request without a good token.", "Exits"},
		"hangs":                 {"", []Subject{{bare: "Hangs"}}, " Without its gate the server gave no answer within 15 s to a request without a good token, and answered another meanwhile.", "Hangs"},
		"asked in one of them":  {"", []Subject{{}, {bare: NotAsked}, {bare: "Refuses"}}, "", "Refuses"},
		"no list of listeners":  {"", []Subject{{exposure: Exposure{Unlisted: true}}}, " What else listens in the pods could not be found out.", ""},
		"a mesh":                {"", []Subject{{exposure: Exposure{Meshed: true}}}, " A mesh proxy takes every connection to the pods, so it could not be told whether they can be entered past their gate.", ""},
		"a mesh that is blamed": {v1alpha1.ReasonServiceMeshBlocked, []Subject{{exposure: Exposure{Meshed: true}}}, "", ""},
		"no policies": {"", []Subject{{exposure: Exposure{Policy: v1alpha1.NetworkPolicyEnforced}}, {exposure: Exposure{Policy: v1alpha1.NetworkPolicyNotEnforced}}},
			" This cluster does not enforce NetworkPolicies: only that no other port of the pods listens keeps others from going past the gate.", ""},
	} {
		before := Judgement{Status: metav1.ConditionTrue, Reason: c.reason, Message: "M."}
		got := before.WithNotes(c.pods)
		if got.Status != before.Status || got.Reason != before.Reason || got.Message != "M."+c.want || got.Bare != c.bare {
			t.Errorf("%s: %s %q, bare %q", name, got.Status, got.Message, got.Bare)
		}
	}
}

// What is found about the Service decides, unless a pod is worse.
func TestVerdictOnTheService(t *testing.T) {
	finding := &ServiceFinding{Endpoint: "10.0.0.9", Evidence: Evidence{Reason: v1alpha1.ReasonForeignEndpoint, Message: "strange", Question: "endpoints"}}
	for name, c := range map[string]struct {
		status metav1.ConditionStatus
		listed int
		want   string
	}{
		"proven pods":          {metav1.ConditionTrue, 0, v1alpha1.ReasonForeignEndpoint},
		"pods that are silent": {metav1.ConditionUnknown, 1, v1alpha1.ReasonForeignEndpoint},
		"an open pod":          {metav1.ConditionFalse, 1, "pods"},
		"a full list":          {metav1.ConditionFalse, maxFailures, "pods"},
	} {
		before := Judgement{Status: c.status, Reason: "pods", Message: "of pods", Failures: make([]v1alpha1.AuthFailure, c.listed)}
		got := before.WithService(finding)
		if got.Status != metav1.ConditionFalse || got.Reason != c.want || (got.Message == "strange") != (c.want != "pods") {
			t.Errorf("%s: %s %s: %s", name, got.Status, got.Reason, got.Message)
		}
		if len(got.Failures) != min(c.listed+1, maxFailures) || c.listed < maxFailures && got.Failures[c.listed].Pod != "10.0.0.9" {
			t.Errorf("%s: %d failures: %v", name, len(got.Failures), got.Failures)
		}
	}
	if got := (Judgement{Status: metav1.ConditionTrue, Reason: "pods"}).WithService(nil); got.Reason != "pods" || len(got.Failures) > 0 {
		t.Errorf("nothing was found: %+v", got)
	}
}

func TestCertificatesThatExpireAreTold(t *testing.T) {
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		left, lifetime time.Duration
		standing       Evidence
		status         metav1.ConditionStatus
		reason, says   string
	}{
		"valid for long":            {60 * day, 90 * day, good, metav1.ConditionTrue, v1alpha1.ReasonProven, ""},
		"expired":                   {0, 90 * day, good, metav1.ConditionFalse, v1alpha1.ReasonCertificateExpired, "expired at 2026-11-24T12:00:00Z: clients that check certificates do not connect. Renew Secret tls (gate.tls.secretRef)"},
		"in six days":               {6 * day, 90 * day, good, metav1.ConditionTrue, v1alpha1.ReasonProven, "expires at 2026-11-30T12:00:00Z. Renew Secret tls"},
		"made for a day, half left": {12 * time.Hour, day, good, metav1.ConditionTrue, v1alpha1.ReasonProven, ""},
		"made for a day, late":      {3 * time.Hour, day, good, metav1.ConditionTrue, v1alpha1.ReasonProven, "expires at 2026-11-24T15:00:00Z"},
		"expired, and open besides": {-day, 90 * day, wideOpen, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, "expired at 2026-11-23T12:00:00Z"},
	} {
		seen := []Subject{{Pod: "a", Ready: true, Standing: &c.standing, Certificate: Validity{noon.Add(c.left - c.lifetime), noon.Add(c.left)}}}
		verdict, _ := Judge(seen, false)
		got := verdict.WithCertificates(seen, "tls", noon)
		if got.Status != c.status || got.Reason != c.reason || !strings.Contains(got.Message, c.says) || c.says == "" && strings.Contains(got.Message, "certificate") {
			t.Errorf("%s: got %s %s: %s", name, got.Status, got.Reason, got.Message)
		}
		if (c.left <= 0) != (len(got.Failures) > len(verdict.Failures)) {
			t.Errorf("%s: failures %v", name, got.Failures)
		}
	}
	if got := ValidityOf(admin.State{CertificateExpires: noon}); got.isExpired(noon) || got.endsSoon(noon) {
		t.Error("a gate without TLS has no certificate to expire")
	}
}

// A pod whose gate cannot serve one provider takes traffic, and nobody says that all is proven.
func TestProviderWithoutKeysIsToldAndKeepsNoPodOut(t *testing.T) {
	seen := Evidence{At: noon, Grade: Proven, Reason: v1alpha1.ReasonProven, MissingKeys: []MissingKeys{{"corp", " (the gate could not fetch it: refused)"}}}
	if status, decided := WantedGate(PodFindings{Standing: &seen}, false); status != corev1.ConditionTrue || !decided {
		t.Errorf("the readiness gate is to be %q", status)
	}
	whole := Evidence{At: noon, Grade: Proven, Reason: v1alpha1.ReasonProven}
	lacking, other := Subject{Pod: "a", Ready: true, Standing: &seen}, Subject{Pod: "b", Ready: true, Standing: &whole}
	for name, c := range map[string]struct {
		subjects []Subject
		status   metav1.ConditionStatus
		reason   string
		words    string
	}{
		"all pods have all keys": {[]Subject{other}, metav1.ConditionTrue, v1alpha1.ReasonProven, "1 of 1 pods refused"},
		"one lacks some": {[]Subject{lacking, other}, metav1.ConditionUnknown, v1alpha1.ReasonProviderKeysMissing,
			"Provider corp: 1 of 2 pods have no keys for it, among them a (the gate could not fetch it: refused), and answer its tokens with 503 (no_keys)"},
		"one that lacks some is ending": {[]Subject{{Pod: "a", Ready: true, terminating: true, Standing: &seen}, other}, metav1.ConditionTrue, v1alpha1.ReasonProven, ""},
		"another is open": {[]Subject{lacking, {Pod: "c", Ready: true, Standing: &Evidence{Grade: Open, Reason: v1alpha1.ReasonInvalidTokenAccepted}}},
			metav1.ConditionFalse, v1alpha1.ReasonInvalidTokenAccepted, ""},
	} {
		verdict, _ := Judge(c.subjects, false)
		got := verdict.WithMissingKeys(c.subjects)
		if got.Status != c.status || got.Reason != c.reason || !strings.Contains(got.Message, c.words) {
			t.Errorf("%s: %s %s %q", name, got.Status, got.Reason, got.Message)
		}
		if lacks := c.reason == v1alpha1.ReasonProviderKeysMissing; lacks != (len(got.Failures) == 1 && got.Failures[0].Case == "key set of provider corp") {
			t.Errorf("%s: failures %+v", name, got.Failures)
		}
	}
}
