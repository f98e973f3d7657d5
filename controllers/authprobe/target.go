package authprobe

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// question is what differs between the rounds on one gate.
type question struct {
	// tls: the gate's pod is made to serve over TLS, whatever the gate says.
	tls       bool
	tier      probe.Tier
	requestID func() string
	// seed makes the choices of the round.
	seed uint64
}

// noCertificate is the digest of none: a gate that says that it shows none is believed in nothing else that it shows.
var noCertificate = strings.Repeat("0", 2*sha256.Size)

// target is what a round asks of the gate at an address, host:port, that has just said this of itself.
func target(server *v1alpha1.MCPServer, gate string, use credentials, state admin.State, ask question) probe.Target {
	settings := desired.Resolve(server)
	scheme := "http://"
	var certificates []string
	if ask.tls {
		scheme, certificates = "https://", []string{cmp.Or(state.CertificateSHA256, noCertificate)}
	}
	out := probe.Target{
		URL:               scheme + gate + settings.Path,
		CertificateSHA256: certificates,
		Tier:              ask.tier,
		Exact:             true,
		Timeout:           settings.Probe.Timeout,
		RequestID:         ask.requestID,
		Seed:              ask.seed,
	}
	controls := use.against(state)
	var first token.Template
	if len(controls) > 0 {
		first = controls[0].Tokens
	}
	absent := probe.AbsentName(ask.seed)
	out.Policy = policyOf(server, first, absent)
	out.Policy.Fenced, out.Policy.Allowed = state.Fence, rightsOf(server, absent).allowed(controls)
	for i, with := range controls {
		out.Providers = append(out.Providers, with.Provider)
		if i == 0 || with.Leeway < out.ClockTolerance {
			out.ClockTolerance = with.Leeway
		}
	}
	return out
}

// basisOf changes whenever a proof of everything is worth nothing any more: the spec, a process of the pod, or what the
// gate has in force is another, or other providers can be tried. Rotation of keys is such a change, too.
func basisOf(server *v1alpha1.MCPServer, pod corev1.Pod, use credentials, state admin.State) string {
	parts := []string{fmt.Sprint(server.Generation), instanceOf(pod), state.Instance, state.ConfigSHA256, state.RevokedSHA256, state.CertificateSHA256}
	for _, with := range use.against(state) {
		parts = append(parts, with.Name)
	}
	for _, provider := range slices.Sorted(maps.Keys(state.Keys)) {
		parts = append(parts, provider+"="+strings.Join(slices.Sorted(slices.Values(state.Keys[provider])), ","))
	}
	return strings.Join(parts, " ")
}
