package authhealth

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// Every kind and outcome of the prober has its reason; those that let somebody in are open, and nothing else is.
func TestClassify(t *testing.T) {
	for _, kind := range probe.Kinds() {
		for _, question := range []probe.Case{probe.NoToken, probe.WrongKey} {
			got, reason := Classify(probe.Verdict{Kind: kind, Case: question, Outcome: probe.Reset})
			if (got == Open) != (kind == probe.Open) || (got == Proven) != (kind == probe.Locked) || reason == "" {
				t.Errorf("%s, %s: grade %d, reason %q", kind, question, got, reason)
			}
		}
	}
	for outcome, want := range map[probe.Outcome]string{
		probe.Reset: v1alpha1.ReasonConnectionReset, probe.ClosedWithoutAnswer: v1alpha1.ReasonConnectionClosed,
		probe.Timeout: v1alpha1.ReasonProbeTimeout, probe.NotHTTP: v1alpha1.ReasonNotHTTP, probe.TLS: v1alpha1.ReasonNotHTTP,
		probe.Truncated: v1alpha1.ReasonTruncatedResponse, probe.WrongReason: v1alpha1.ReasonWrongAnswer,
		probe.MissingChallenge: v1alpha1.ReasonWrongAnswer,
	} {
		if _, got := Classify(probe.Verdict{Kind: probe.Broken, Outcome: outcome}); got != want {
			t.Errorf("%s: reason %s, want %s", outcome, got, want)
		}
	}
	for url, want := range map[string]string{"https://gate": v1alpha1.ReasonTLSNotServed, "http://gate": v1alpha1.ReasonNotHTTP} {
		if got := FromReport(probe.Report{URL: url}, probe.Verdict{Kind: probe.Broken, Outcome: probe.TLS}, time.Now()); got.Reason != want || got.Grade != Failed {
			t.Errorf("of %s: reason %s, want %s", url, got.Reason, want)
		}
	}
	if _, got := Classify(probe.Verdict{Kind: probe.Open, Case: probe.WrongKey}); got != v1alpha1.ReasonInvalidTokenAccepted {
		t.Errorf("an accepted token of a foreign key: %s", got)
	}
}

func TestAServerOnAnotherPortIsNamed(t *testing.T) {
	elsewhereIs := admin.State{ServerAbsence: "nothing listens", ServerListeners: []admin.Listener{{Address: "::", Port: 3000}, {Address: "?", Port: 1}}}
	for name, c := range map[string]struct {
		reason string
		state  admin.State
		want   string
	}{
		"on another port": {v1alpha1.ReasonUpstreamUnavailable, elsewhereIs,
			" The gate says: nothing listens on 127.0.0.1:8000 or [::1]:8000; in the pod, others listen on [::]:3000. " +
				"Set port to 3000 if that is the server's, or have the server listen on port 8000."},
		"the gate is proven all the same": {v1alpha1.ReasonProven, elsewhereIs, ""},
		"a server that is slow":           {v1alpha1.ReasonUpstreamUnavailable, admin.State{}, ""},
	} {
		if got := ListensElsewhere(Evidence{Reason: c.reason}, AbsenceOf(c.state, 8000)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// That a pod is ending is for the API server to say.
func TestGateThatIsToldToEndAlone(t *testing.T) {
	pod := func(change func(*corev1.Pod)) corev1.Pod {
		out := corev1.Pod{}
		change(&out)
		return out
	}
	for name, c := range map[string]struct {
		pod   corev1.Pod
		state admin.State
		found bool
	}{
		"not told":   {pod(func(*corev1.Pod) {}), admin.State{}, false},
		"told":       {pod(func(*corev1.Pod) {}), admin.State{Terminating: true}, true},
		"deleted":    {pod(func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: noon} }), admin.State{Terminating: true}, false},
		"has failed": {pod(func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }), admin.State{Terminating: true}, false},
		"node shuts down": {pod(func(p *corev1.Pod) {
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue}}
		}), admin.State{Terminating: true}, false},
		"was a target": {pod(func(p *corev1.Pod) {
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionFalse}}
		}), admin.State{Terminating: true}, true},
	} {
		got := endsAlone(c.pod, c.state, noon)
		if (got != nil) != c.found || got != nil && (got.Grade != Unknown || got.Reason != v1alpha1.ReasonGateTerminating) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	settings := desired.Probe{Interval: 30 * time.Second, FailureThreshold: 3, SuccessThreshold: 2}
	proof := PodFindings{Standing: &Evidence{At: noon, Grade: Proven}}
	told := *endsAlone(corev1.Pod{}, admin.State{Terminating: true}, noon.Add(time.Second))
	if after := proof.next(told, settings); after.Standing.Reason != v1alpha1.ReasonGateTerminating {
		t.Errorf("the gate said so itself, and %s stands", after.Standing.Reason)
	}
}

func TestGateWithoutCertificate(t *testing.T) {
	for state, want := range map[*admin.State]bool{
		{}:                                       false,
		{TLS: true}:                              true,
		{TLS: true, CertificateSHA256: "digest"}: false,
		{CertificateSHA256: "digest"}:            false,
	} {
		if got := IsUncertified(*state); got != want {
			t.Errorf("%+v: %v", *state, got)
		}
	}
	server := &v1alpha1.MCPServer{}
	server.Spec.Gate = &v1alpha1.Gate{TLS: &v1alpha1.GateTLS{SecretRef: v1alpha1.LocalSecretRef{Name: "mine"}}}
	got := Uncertified(server, admin.State{LastReloadError: "no such file, token=Zx9Kq2LmT7vB4nW8sY3dF6hJ"}, noon)
	if got.Grade != Failed || got.Reason != v1alpha1.ReasonCertificateUnusable || !strings.Contains(got.Message, "Secret mine") ||
		!strings.Contains(got.Message, "no such file") || strings.Contains(got.Message, "Zx9Kq2") {
		t.Errorf("%+v", got)
	}
}

func TestAdviceAboutRejectedTokens(t *testing.T) {
	shared := v1alpha1.Provider{Name: "catalog", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysSecret, Secret: &v1alpha1.SecretKeys{
		Name: "quilt-mcp-jwt", Keys: []string{"MCP_JWT_SECRET"}, Format: v1alpha1.FormatSharedSecret}}}
	managed := v1alpha1.Provider{Name: "managed", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysManaged}}
	quilt := v1alpha1.MCPServerSpec{Profile: v1alpha1.ProfileQuilt, Auth: &v1alpha1.Auth{Providers: []v1alpha1.Provider{shared}}}
	old := *quilt.DeepCopy()
	old.Quilt = &v1alpha1.Quilt{Release: v1alpha1.QuiltUpTo014}
	two := *quilt.DeepCopy()
	two.Auth.Providers = []v1alpha1.Provider{managed, shared}
	for name, c := range map[string]struct {
		spec             v1alpha1.MCPServerSpec
		provider, reason string
		says             string // empty: nothing
	}{
		"another secret":                      {quilt, "", "bad_signature", "shared secret in Secret quilt-mcp-jwt, data key MCP_JWT_SECRET"},
		"another secret of one of two":        {two, "catalog", "bad_signature", "provider catalog"},
		"by a token that was brought":         {two, "catalog (tokenSecretRef)", "bad_signature", "provider catalog"},
		"the other of two":                    {two, "managed", "bad_signature", ""},
		"an expired token":                    {quilt, "", "expired", ""},
		"0.14 refuses what the gate lets in":  {old, "", "", "has read at its start (MCP_JWT_SECRET, of Secret quilt-mcp-jwt"},
		"a newer one does":                    {quilt, "", "", "set quilt.release to UpTo014"},
		"any other server does":               {v1alpha1.MCPServerSpec{}, "", "", ""},
		"a gate with a key of the operator's": {v1alpha1.MCPServerSpec{}, "", "bad_signature", ""},
	} {
		got := RejectedAdvice(&v1alpha1.MCPServer{Spec: c.spec}, probe.Verdict{Kind: probe.ValidRejected, Provider: c.provider, Reason: c.reason})
		if (got == "") != (c.says == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
