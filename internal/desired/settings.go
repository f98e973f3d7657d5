package desired

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// Settings are the effective values of a spec: what the user set, else what the profile presets, else the default.
type Settings struct {
	Port       int32
	Path       string
	HealthPath string
	Replicas   int32
	// StartLimit is how long the server may take to start.
	StartLimit time.Duration
	Resources  corev1.ResourceRequirements

	GatePort      int32
	AdminPort     int32
	FallbackPort  int32
	CanaryPort    int32
	GateResources corev1.ResourceRequirements
	DrainSeconds  int32
	// TLSSecret is the Secret with the certificate; empty for plain HTTP.
	TLSSecret string

	// HealthPaths are those at which the gate tells anybody whether it is ready.
	HealthPaths []string

	Providers []Provider
	// BodyBytes is the longest request body, TokenBytes the longest token.
	BodyBytes  int64
	TokenBytes int32
	// ForwardAuthorization passes the verified token on to the server.
	ForwardAuthorization bool
	SessionBinding       v1alpha1.SessionBinding
	Probe                Probe
	// Pod is what the spec says about the pods; its SecurityContext is never nil.
	Pod v1alpha1.Pod

	preset profilePreset
}

// Probe says how the lock is tried.
type Probe struct {
	Interval         time.Duration
	Timeout          time.Duration
	FailureThreshold int
	SuccessThreshold int
	// EnforceGate keeps unproven pods out of the Service.
	EnforceGate bool
	// BareServer: each pod's server is asked once what it does without the gate.
	BareServer bool
	// Credential says how a good token is come by where the operator does not have the signing key. TokenSecret names one
	// that was brought; nil for every other credential.
	Credential  v1alpha1.ProbeCredential
	TokenSecret *v1alpha1.TokenSecretRef
	// Claims are those of tokens that the operator signs with shared secrets; empty: it signs none.
	Claims map[string]string
}

// Defaults of fields that no profile presets; the API documents them.
const (
	defaultPort             = 8000
	defaultPath             = "/mcp"
	defaultGatePort         = 8080
	defaultAdminPort        = 9090
	firstFallbackPort       = 28080
	firstCanaryPort         = 29090
	defaultDrainSeconds     = 30
	defaultStartSeconds     = 120
	defaultProbeInterval    = 30
	defaultProbeTimeout     = 5
	defaultFailureThreshold = 3
	defaultSuccessThreshold = 1

	// DefaultProvider is the provider of a server that names none.
	DefaultProvider = "managed"
)

// Resolve gives the effective values of a server's spec.
func Resolve(s *v1alpha1.MCPServer) Settings {
	preset := presetFor(s.Spec)
	out := Settings{
		preset:     preset,
		Port:       ptr.Deref(s.Spec.Port, defaultPort),
		Path:       cmp.Or(s.Spec.Path, defaultPath),
		HealthPath: cmp.Or(s.Spec.HealthPath, preset.healthPath),
		Replicas:   ptr.Deref(s.Spec.Replicas, 1),
		StartLimit: time.Duration(ptr.Deref(s.Spec.StartupSeconds, defaultStartSeconds)) * time.Second,
		Resources:  *cmp.Or(s.Spec.Resources, &preset.resources),
	}
	gate := cmp.Or(s.Spec.Gate, &v1alpha1.Gate{})
	out.GatePort = ptr.Deref(gate.Port, defaultGatePort)
	out.AdminPort = ptr.Deref(gate.AdminPort, defaultAdminPort)
	out.FallbackPort = freePort(firstFallbackPort, out.Port, out.GatePort, out.AdminPort)
	out.CanaryPort = freePort(firstCanaryPort, out.Port, out.GatePort, out.AdminPort, out.FallbackPort)
	if gate.TLS != nil {
		out.TLSSecret = gate.TLS.SecretRef.Name
	}
	out.DrainSeconds = ptr.Deref(gate.DrainSeconds, defaultDrainSeconds)
	out.GateResources = *cmp.Or(gate.Resources, &corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("32Mi")},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")},
	})
	out.HealthPaths = healthPaths(*gate, out.Path, preset)
	auth := cmp.Or(s.Spec.Auth, &v1alpha1.Auth{})
	out.SessionBinding = sessionBinding(*auth, preset)
	out.Providers = resolveProviders(s, preset)
	bounds := GateLimits(*auth)
	out.BodyBytes, out.TokenBytes = bounds.BodyBytes, bounds.TokenBytes
	out.ForwardAuthorization = preset.forwardAuthorization
	if auth.Forward != nil && auth.Forward.Authorization != "" {
		out.ForwardAuthorization = auth.Forward.Authorization == v1alpha1.AuthorizationForward
	}
	out.Probe = resolveProbe(s.Spec.AuthProbe)
	out.Pod = *cmp.Or(s.Spec.Pod, &v1alpha1.Pod{})
	out.Pod.SecurityContext = cmp.Or(out.Pod.SecurityContext, &v1alpha1.PodSecurityContext{})
	out.Probe.BareServer = resolveBareServer(s.Spec.AuthProbe, preset)
	out.Probe.resolveCredential(s.Spec.AuthProbe, preset)
	return out
}

// StartBudget is how long a pod may take to serve before that counts as a failure: the startup of its server, and time for a
// first proof of its lock.
func (s Settings) StartBudget() time.Duration { return s.StartLimit + 30*time.Second }

// freePort is for a port that is not the user's to choose: the first, or the next that is none of the pod's other ports.
func freePort(first int32, taken ...int32) int32 {
	port := first
	for slices.Contains(taken, port) {
		port++
	}
	return port
}

func resolveProbe(p *v1alpha1.AuthProbe) Probe {
	if p == nil {
		p = &v1alpha1.AuthProbe{}
	}
	return Probe{
		Interval:         time.Duration(ptr.Deref(p.IntervalSeconds, defaultProbeInterval)) * time.Second,
		Timeout:          time.Duration(ptr.Deref(p.TimeoutSeconds, defaultProbeTimeout)) * time.Second,
		FailureThreshold: int(ptr.Deref(p.FailureThreshold, defaultFailureThreshold)),
		SuccessThreshold: int(ptr.Deref(p.SuccessThreshold, defaultSuccessThreshold)),
		EnforceGate:      p.ReadinessGate != v1alpha1.ReadinessGateOff,
	}
}
