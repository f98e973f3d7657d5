package desired

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// profilePreset is what a profile knows of its server.
type profilePreset struct {
	healthPath string
	resources  corev1.ResourceRequirements
	// forwardAuthorization passes the verified token on to the server.
	forwardAuthorization bool
	// stateless: the server keeps no sessions.
	stateless bool
	// healthPaths are those at which the server itself tells anybody that it is well, and the gate in its place.
	healthPaths []string
	// hardened: read-only root filesystem with memory-backed /tmp and /run, and a user of our choice.
	hardened bool
	// bareServer asks each pod's server once what it does without the gate.
	bareServer bool
	// guards are variables whose value decides whether the server is in multiuser mode, or has an identity to fall back
	// on. They are always written: env beats envFrom.
	guards func(Settings) []v1alpha1.NameValue
	// defaults are variables that the user may set otherwise.
	defaults []v1alpha1.NameValue
	// sharedSecret says what tokens signed with a shared secret look like; nil where that is not known.
	sharedSecret *tokenShape
	// secretVariable is by which the server gets the shared secret; empty where it needs none.
	secretVariable string
}

// tokenShape is what a profile knows of tokens.
type tokenShape struct {
	tokenTypes, identityClaims []string
	maxTokenLifetime           int32 // 0 is no bound
	// claims are those of a caller that is nobody: the operator's prober.
	claims map[string]v1alpha1.ClaimValue
}

func presetFor(spec v1alpha1.MCPServerSpec) profilePreset {
	switch {
	case spec.Profile == v1alpha1.ProfileQuilt && spec.Quilt != nil && spec.Quilt.Release == v1alpha1.QuiltUpTo014:
		return quiltUpTo014()
	case spec.Profile == v1alpha1.ProfileQuilt:
		return quilt
	}
	return profilePreset{guards: func(Settings) []v1alpha1.NameValue { return nil }}
}

var quilt = profilePreset{
	healthPath: "/health",
	resources: corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("256Mi")},
		Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("512Mi")},
	},
	forwardAuthorization: true,
	stateless:            true,
	healthPaths:          []string{"/", "/health", "/healthz"},
	hardened:             true,
	bareServer:           true,
	guards: func(s Settings) []v1alpha1.NameValue {
		return []v1alpha1.NameValue{
			{Name: "QUILT_MULTIUSER_MODE", Value: "true"}, // any other spelling but true, 1, yes and on is read as false
			{Name: "QUILT_DEPLOYMENT", Value: "remote"},   // "legacy" would beat QUILT_MULTIUSER_MODE
			{Name: "QUILT_FALLBACK_JWT", Value: ""},       // an identity for requests without a token
			{Name: "QUILT_ALLOW_TEST_JWT", Value: ""},     // tokens signed by the server itself
			{Name: "FASTMCP_TRANSPORT", Value: "http"},    // a typing error here ends in stdio and exit code 0
			{Name: "FASTMCP_PORT", Value: strconv.Itoa(int(s.Port))},
			{Name: "FASTMCP_HOST", Value: "127.0.0.1"},
			{Name: "FASTMCP_ADDR", Value: "127.0.0.1"}, // beats FASTMCP_HOST where it is known
		}
	},
	defaults: []v1alpha1.NameValue{
		{Name: "HOME", Value: "/tmp"},
		{Name: "MCP_SKIP_BANNER", Value: "true"},
		{Name: "QUILT_DISABLE_CACHE", Value: "true"},
	},
	// The catalog's tokens are exactly {id, uuid, exp}; the server of 0.14 refuses any other claim.
	sharedSecret: &tokenShape{
		tokenTypes: []string{"JWT", ""}, identityClaims: []string{"id"},
		claims: map[string]v1alpha1.ClaimValue{"id": gateapi.ProbeSubject, "uuid": gateapi.ProbeSubject},
	},
}

// quiltUpTo014 verifies tokens itself, and exits at start without the secret. With an issuer or an audience set it accepts
// no token at all: it wants the claims, and refuses tokens that have more than id, uuid and exp.
func quiltUpTo014() profilePreset {
	out := quilt
	out.secretVariable = QuiltSecretVariable
	out.guards = func(s Settings) []v1alpha1.NameValue {
		return append(quilt.guards(s),
			v1alpha1.NameValue{Name: "MCP_JWT_ISSUER"},
			v1alpha1.NameValue{Name: "MCP_JWT_AUDIENCE"},
			v1alpha1.NameValue{Name: "MCP_JWT_SECRET_SSM_PARAMETER"}) // another place to take the secret from
	}
	return out
}

// QuiltSecretVariable is by which servers up to 0.14 get the shared secret.
const QuiltSecretVariable = "MCP_JWT_SECRET"

// LentSecret is the variable by which the server gets the shared secret; false where it needs none. This is the one
// exception to the rule that a key of the lock is for the gate alone. It is as narrow as can be: a secret that the user
// brings, of one data key, in one variable of the server's container.
func (s Settings) LentSecret() (corev1.EnvVar, bool) {
	at := slices.IndexFunc(s.Providers, Provider.Shared)
	if s.preset.secretVariable == "" || at < 0 {
		return corev1.EnvVar{}, false
	}
	secret := s.Providers[at].Secret
	return corev1.EnvVar{Name: s.preset.secretVariable, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: secret.Name}, Key: secret.Keys[0]}}}, true
}

// Lends is the provider whose shared secret the server gets as well; false where it gets none.
func (s Settings) Lends() (Provider, bool) {
	at := slices.IndexFunc(s.Providers, Provider.Shared)
	if _, lent := s.LentSecret(); !lent {
		return Provider{}, false
	}
	return s.Providers[at], true
}

// Hardened: the server has a read-only root filesystem with memory-backed /tmp and /run, and a user of our choice.
func (s Settings) Hardened() bool { return s.preset.hardened }

// GuardsUpTo014 are the variables that every server up to 0.14 of profile Quilt gets, on its port.
func GuardsUpTo014(port int32) []v1alpha1.NameValue {
	return quiltUpTo014().guards(Settings{Port: port})
}

// Environment is the server's: what the user set, then what puts it into multiuser mode.
func Environment(s *v1alpha1.MCPServer, settings Settings) []corev1.EnvVar {
	env := slices.Clone(s.Spec.Env)
	for _, d := range settings.preset.defaults {
		if !slices.ContainsFunc(env, func(e corev1.EnvVar) bool { return e.Name == d.Name }) {
			env = append(env, corev1.EnvVar{Name: d.Name, Value: d.Value})
		}
	}
	forced := settings.preset.guards(settings)
	if s.Spec.Multiuser != nil {
		forced = append(forced, s.Spec.Multiuser.Env...)
	}
	for _, g := range forced {
		env = slices.DeleteFunc(env, func(e corev1.EnvVar) bool { return e.Name == g.Name })
		env = append(env, corev1.EnvVar{Name: g.Name, Value: g.Value})
	}
	if lent, found := settings.LentSecret(); found {
		env = append(env, lent)
	}
	return env
}
