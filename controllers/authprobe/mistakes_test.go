package authprobe

import (
	"net/netip"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/internal/probeplan"
	"github.com/mcp-gatehouse/gatehouse/test/mistakes"
)

// TestMistakesThatTheProberFinds: what AuthHealthy says of the only pod.
func TestMistakesThatTheProberFinds(t *testing.T) {
	answered := func(outcome probe.Outcome, status int, reason, seen string) authhealth.Evidence {
		report := probe.Report{URL: "http://10.0.0.7:8080/mcp", Results: []probe.Result{{
			Case: probe.Valid, Outcome: outcome, Status: status, Reason: reason, Expected: "2xx with a JSON-RPC result", Seen: seen}}}
		return authhealth.FromReport(report, verdicts.Of(report), noon)
	}
	wrongPort := answered(probe.Unavailable, 502, "upstream_refused", "502, application/json, reason upstream_refused")
	wrongPort.Message += authhealth.ListensElsewhere(wrongPort, &diagnosis.Absence{Port: 8000, Others: []netip.AddrPort{netip.MustParseAddrPort("[::]:3000")}})
	server := &v1alpha1.MCPServer{}
	server.Name, server.Namespace = "x", "ns"
	server.Spec.Gate = &v1alpha1.Gate{TLS: &v1alpha1.GateTLS{SecretRef: v1alpha1.LocalSecretRef{Name: "tls"}}}
	proof := good
	proof.Message = "The bad requests of a quick check were refused for their reasons, and a valid token was let in after them."
	bare := authhealth.Exposure{Listeners: map[string]authhealth.Reach{"0.0.0.0:8000": authhealth.DialAccepted}}

	var all []mistakes.Mistake
	for _, c := range []struct {
		made  string
		pod   authhealth.Subject
		names []string
	}{
		{"`path` is not the server's", authhealth.Subject{Standing: ptrTo(answered(probe.WrongStatus, 404, "", "404, text/plain"))}, []string{"nothing at /mcp", "set path"}},
		{"`path` is that of another transport", authhealth.Subject{Standing: ptrTo(answered(probe.WrongStatus, 405, "", "405"))}, []string{"no POST at /mcp", "set path"}},
		{"The server answers at `/mcp/`", authhealth.Subject{Standing: ptrTo(answered(probe.Unavailable, 502, "upstream_redirect", "502, application/json, reason upstream_redirect"))}, []string{"redirects from /mcp", "set path"}},
		{"What listens on `port` is a web page", authhealth.Subject{Standing: ptrTo(answered(probe.NoResult, 200, "", "200, text/html, no JSON-RPC answer to this request"))}, []string{"does not speak MCP", "set path and port"}},
		{"`port` is not the server's", authhealth.Subject{Standing: &wrongPort}, []string{"[::]:3000", "Set port to 3000"}},
		{"The server refuses the name by which it is called", authhealth.Subject{Standing: ptrTo(answered(probe.WrongStatus, 421, "", "421"))}, []string{"allow every Host"}},
		{"The server checks tokens of its own", authhealth.Subject{Standing: ptrTo(answered(probe.Rejected, 401, "", "401"))}, []string{"the server behind it refuses the token"}},
		{"The issuer's tokens are for another audience", authhealth.Subject{Standing: ptrTo(answered(probe.Rejected, 401, "wrong_audience", "401, application/json, reason wrong_audience"))}, []string{"audience"}},
		{"The server listens on all addresses, in a cluster without NetworkPolicies", authhealth.Subject{Standing: &proof, Bypass: bare.Bypass(noon)}, []string{"0.0.0.0:8000", "127.0.0.1"}},
		{"`gate.tls` names a Secret that was emptied", authhealth.Subject{Standing: ptrTo(authhealth.Uncertified(server, admin.State{TLS: true, LastReloadError: "tls.crt: no certificate"}, noon))}, []string{"Secret tls", "gate.tls.secretRef"}},
		{"The certificate of `gate.tls` has expired", authhealth.Subject{Standing: &proof, Certificate: authhealth.ValidityOf(admin.State{TLS: true, CertificateNotBefore: noon.Add(-48 * time.Hour), CertificateExpires: noon.Add(-time.Hour)})}, []string{"Renew Secret tls", "expired at"}},
		{"A provider of which the operator has no token", authhealth.Subject{Standing: ptrTo(probeplan.ControlMissing([]probeplan.Untried{{Provider: "corp", Why: "its keys are of type Secret, and authProbe.credential is None. Set it to ProbeKey."}}, noon))}, []string{"Provider corp", "authProbe.credential"}},
		{"The clocks of nodes differ", authhealth.Subject{Standing: ptrTo(skewed())}, []string{"set the clocks"}},
		{"Somebody's pod wears the labels of the server", authhealth.Subject{Standing: ptrTo(authhealth.ForeignPod(noon))}, []string{"labels", "delete it"}},
		{"A webhook sends the gate's image to a mirror", authhealth.Subject{Standing: ptrTo(mirrored())}, []string{"mirror.internal/gateapi:v0", "--authproxy-image"}},
	} {
		c.pod.Pod, c.pod.Ready = "x-1", true
		seen := []authhealth.Subject{c.pod}
		verdict, _ := authhealth.Judge(seen, false)
		verdict = verdict.WithCertificates(seen, desired.Resolve(server).TLSSecret, noon)
		all = append(all, mistakes.Mistake{
			Made: c.made, Condition: "AuthHealthy " + string(verdict.Status) + ", `" + verdict.Reason + "`", Message: verdict.Message, Names: c.names,
		})
	}
	shared := server.DeepCopy()
	shared.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{{Name: "corp", Keys: v1alpha1.ProviderKeys{
		Type: v1alpha1.KeysSecret, Secret: &v1alpha1.SecretKeys{Name: "corp-jwt", Keys: []string{"secret"}, Format: v1alpha1.FormatSharedSecret},
	}}}}
	all = append(all, mistakes.Mistake{
		Made: "The shared secret of a provider is not its issuer's", Condition: "ClientsRefused True, `" + v1alpha1.ReasonProviderRejectsEveryone + "`",
		Message: authhealth.RejectingNote(map[string]authhealth.Streak{"corp": {Since: noon, Count: map[string]int64{"bad_signature": 7}}}, desired.Resolve(shared).Providers), Names: []string{"provider corp", "bad_signature", "Secret corp-jwt"},
	})
	const audience = "aud: another value than this server's"
	all = append(all, mistakes.Mistake{
		Made: "`audiences` of a provider names another than its tokens", Condition: "ClientsRefused True, `" + v1alpha1.ReasonProviderRejectsEveryone + "`",
		Message: authhealth.RejectingNote(map[string]authhealth.Streak{"corp": {
			Since: noon, Count: map[string]int64{"wrong_audience": 7}, Details: map[string]string{"wrong_audience": audience},
		}}, nil), Names: []string{"provider corp", "wrong_audience", audience},
	})
	mistakes.Check(t, "../../docs/mistakes.md", "lock", all)
}

func ptrTo(e authhealth.Evidence) *authhealth.Evidence { return &e }

func skewed() authhealth.Evidence {
	report := probe.Report{ClockSeen: true, ClockOffset: 5 * time.Minute, ClockTolerance: 30 * time.Second, Results: []probe.Result{{
		Case: probe.Expired, Outcome: probe.WrongReason, Status: 401, Reason: "malformed_token", Expected: "401", Seen: "401"}}}
	return authhealth.FromReport(report, verdicts.Of(report), noon)
}

// mirrored is the evidence against a pod whose gate has another image than it was given.
func mirrored() authhealth.Evidence {
	const image = "registry.example/authproxy:v0"
	found := gatePod("mirror.internal/gateapi:v0")
	lock := podlock.Lock{Gate: gatePod(image).InitContainers[0]}
	return authhealth.Tampered(found, lock, []podlock.Violation{{
		Rule: "GateUnmodified", Detail: "image of authproxy was changed from " + image + " to mirror.internal/gateapi:v0"}}, noon)
}

func gatePod(image string) corev1.PodSpec {
	return corev1.PodSpec{InitContainers: []corev1.Container{{Name: desired.GateContainer, Image: image}}}
}
