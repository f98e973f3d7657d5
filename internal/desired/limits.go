package desired

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Defaults of limits; the API documents them.
const (
	defaultBodyBytes  = 4 << 20
	defaultTokenBytes = 8 << 10

	defaultFailuresPerSecond = 20
	// failureBurst is how many seconds' worth of failures may come at once.
	failureBurst = 5
	// defaultStreams is more than a person's clients hold open at once.
	defaultStreams          = 64
	defaultStreamMaxSeconds = 3600
	// defaultRequests is far above what clients of one caller ask at once, and far below what fills a gate's memory.
	defaultRequests   = 512
	defaultRevokedKey = "revoked"
)

// GateLimits are what the gate is told of limits.
func GateLimits(auth v1alpha1.Auth) gateapi.Limits {
	spec := cmp.Or(auth.Limits, &v1alpha1.Limits{})
	out := gateapi.Limits{
		BodyBytes:         defaultBodyBytes,
		TokenBytes:        ptr.Deref(spec.TokenBytes, defaultTokenBytes),
		FailuresPerSecond: ptr.Deref(spec.FailuresPerSecond, defaultFailuresPerSecond),
		Streams:           ptr.Deref(spec.Streams, defaultStreams),
		Requests:          ptr.Deref(spec.Requests, defaultRequests),
		StreamMaxSeconds:  ptr.Deref(spec.StreamMaxSeconds, defaultStreamMaxSeconds),
	}
	if spec.BodyBytes != nil {
		out.BodyBytes = *spec.BodyBytes
	}
	out.FailureBurst = failureBurst * out.FailuresPerSecond
	if spec.ClientIP != nil {
		out.ClientIP = gateapi.ClientIP{
			TrustedProxies: spec.ClientIP.TrustedProxies, Header: cmp.Or(spec.ClientIP.Header, "X-Forwarded-For"),
		}
	}
	return out
}

func sessionBinding(auth v1alpha1.Auth, preset profilePreset) v1alpha1.SessionBinding {
	switch {
	case auth.SessionBinding != "":
		return auth.SessionBinding
	case preset.stateless:
		return v1alpha1.SessionBindingStateless
	}
	return v1alpha1.SessionBindingCaller
}

// healthPaths are those that the user set, or those of the profile that are not the server's.
func healthPaths(gate v1alpha1.Gate, path string, preset profilePreset) []string {
	if gate.HealthPaths != nil {
		return gate.HealthPaths
	}
	return slices.DeleteFunc(slices.Clone(preset.healthPaths), func(health string) bool {
		return strings.TrimSuffix(health, "/") == strings.TrimSuffix(path, "/") || slices.Contains(gate.ExtraPaths, health)
	})
}
