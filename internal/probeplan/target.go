package probeplan

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/podstate"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// Question is what differs between the rounds on one gate.
type Question struct {
	// TLS: the gate's pod is made to serve over TLS, whatever the gate says.
	TLS       bool
	Tier      probe.Tier
	RequestID func() string
	// Seed makes the choices of the round.
	Seed uint64
}

// noCertificate is the digest of none: a gate that says that it shows none is believed in nothing else that it shows.
var noCertificate = strings.Repeat("0", 2*sha256.Size)

// Target is what a round asks of the gate at an address, host:port, that has just said this of itself.
func Target(server *v1alpha1.MCPServer, gate string, use Credentials, state admin.State, ask Question) probe.Target {
	settings := desired.Resolve(server)
	scheme := "http://"
	var certificates []string
	if ask.TLS {
		scheme, certificates = "https://", []string{cmp.Or(state.CertificateSHA256, noCertificate)}
	}
	out := probe.Target{
		URL:               scheme + gate + settings.Path,
		CertificateSHA256: certificates,
		Tier:              ask.Tier,
		Exact:             true,
		Timeout:           settings.Probe.Timeout,
		RequestID:         ask.RequestID,
		Seed:              ask.Seed,
	}
	controls := use.against(state)
	var first token.Template
	if len(controls) > 0 {
		first = controls[0].Tokens
	}
	absent := probe.AbsentName(ask.Seed)
	out.Policy = policyOf(server, first, absent)
	out.Policy.ProbeRestricted, out.Policy.Allowed = state.Fence, rightsOf(server, absent).allowed(controls)
	if state.ConfigSchema != strings.TrimSuffix(gateapi.ConfigFile, ".json") { // Older gates know no health paths.
		out.Policy.HealthPaths = nil
	}
	for i, with := range controls {
		out.Providers = append(out.Providers, with.Provider)
		if i == 0 || with.Leeway < out.ClockTolerance {
			out.ClockTolerance = with.Leeway
		}
	}
	return out
}

// BasisOf changes whenever a proof of everything is worth nothing any more: the spec, a process of the pod, or what the
// gate has in force is another, or other providers can be tried. Rotation of keys is such a change, too.
func BasisOf(server *v1alpha1.MCPServer, pod corev1.Pod, use Credentials, state admin.State) string {
	parts := []string{fmt.Sprint(server.Generation), podstate.Instance(pod), state.Instance, state.ConfigSHA256, state.RevokedSHA256, state.CertificateSHA256}
	for _, with := range use.against(state) {
		parts = append(parts, with.Name)
	}
	for _, provider := range slices.Sorted(maps.Keys(state.Keys)) {
		parts = append(parts, provider+"="+strings.Join(slices.Sorted(slices.Values(state.Keys[provider])), ","),
			strings.Join(slices.Sorted(slices.Values(state.Fingerprints[provider])), ","))
	}
	return strings.Join(parts, " ")
}

// policyOf is what the gate must enforce beside the tokens. control is the template of the tokens with which calls are
// tried: those of the first provider of a round. absent is a name that no server has.
func policyOf(server *v1alpha1.MCPServer, control token.Template, absent string) probe.Policy {
	auth, gate := v1alpha1.Auth{}, v1alpha1.Gate{}
	if server.Spec.Auth != nil {
		auth = *server.Spec.Auth
	}
	if server.Spec.Gate != nil {
		gate = *server.Spec.Gate
	}
	settings, serverRights := desired.Resolve(server), rightsOf(server, absent)
	out := probe.Policy{
		RequiredScopes: serverRights.required,
		RuleCases:      serverRights.guarded(control),
		Forbidden:      serverRights.forbidden(control),
		Absent:         absent,
		SessionBinding: settings.SessionBinding != v1alpha1.SessionBindingOff,
		RevokedID:      desired.Revoked(server),
		RevokedSubject: desired.Revoked(server),
		RevokedBefore:  desired.RevokedBefore(server),
		Hosts:          true,
		Origins:        true,
		BodyBytes:      settings.BodyBytes,
		TokenBytes:     int(settings.TokenBytes),
		Slash:          probe.SlashDistinct,
		ExtraPaths:     slices.Clone(gate.ExtraPaths),
		HealthPaths:    slices.Clone(settings.HealthPaths),
	}
	if gate.TrailingSlash == v1alpha1.TrailingSlashSame {
		out.Slash = probe.SlashSame
	}
	if auth.ResourceMetadata != nil {
		out.Metadata = &probe.ResourceMetadata{
			Resource: auth.ResourceMetadata.Resource, AuthorizationServers: auth.ResourceMetadata.AuthorizationServers,
		}
	}
	return out
}

// Hosts are the names by which clients call a server, as they come in Host: those of the Service, its own address, if it has
// one, and what the spec adds. A gate takes each for its own.
func Hosts(server *v1alpha1.MCPServer, address string) []string {
	port := desired.Resolve(server).GatePort
	suffix := ":" + strconv.Itoa(int(port))
	hosts := []string{
		server.Name + "." + server.Namespace + ".svc" + suffix, server.Name + "." + server.Namespace + ".svc",
		server.Name + "." + server.Namespace, server.Name + suffix,
	}
	if address != "" {
		hosts = append(hosts, address)
	}
	if server.Spec.Gate != nil {
		hosts = append(hosts, server.Spec.Gate.AllowedHosts...)
	}
	if server.Spec.Route != nil {
		hosts = append(hosts, server.Spec.Route.Hostnames...)
	}
	hosts = slices.DeleteFunc(hosts, func(host string) bool { return strings.Contains(host, "*") || host != strings.ToLower(host) })
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// IsProviderOf reports by the name of a control whether its provider is one of the spec.
func IsProviderOf(server *v1alpha1.MCPServer) func(name string) bool {
	providers := desired.Resolve(server).Providers
	return func(name string) bool {
		return slices.ContainsFunc(providers, func(p desired.Provider) bool {
			return name == p.Name || strings.HasPrefix(name, p.Name+" (")
		})
	}
}
