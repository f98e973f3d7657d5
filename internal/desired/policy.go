package desired

import (
	"strings"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
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

// Revoked is the "jti" and the "sub" that every server's list of revocations has, so that it can be seen to work: no token
// of this id or this subject is ever let in.
func Revoked(s *v1alpha1.MCPServer) string { return "gatehouse-probe-revoked-" + string(s.UID) }

// RevokedBefore is a "sub" on the same list, of which all tokens are too old.
func RevokedBefore(s *v1alpha1.MCPServer) string { return "gatehouse-probe-outdated-" + string(s.UID) }

// RevokedList is what the gate reads as authproxy.RevokedFile: the users' list, and the entries of the prober behind it, so
// that the numbers of its lines are the users'. None of them is about anybody else: there is none of kind "kid", as there
// is no key to spare, and none of issuedBefore for all.
func RevokedList(s *v1alpha1.MCPServer, users string) string {
	if users != "" && !strings.HasSuffix(users, "\n") {
		users += "\n"
	}
	return users + "jti:" + Revoked(s) + "\nsub:" + Revoked(s) + "\nissuedBefore:9999-12-31T23:59:59Z " + RevokedBefore(s) + "\n"
}

// RevokedRef names the users' list; nil if there is none.
func RevokedRef(s *v1alpha1.MCPServer) *v1alpha1.ConfigMapKeyRef {
	if s.Spec.Auth == nil || s.Spec.Auth.Revoked == nil {
		return nil
	}
	return &s.Spec.Auth.Revoked.ConfigMapRef
}

// RevokedKey is the data key of a ConfigMap with revocations.
func RevokedKey(ref v1alpha1.ConfigMapKeyRef) string {
	return firstNonEmpty(ref.Key, defaultRevokedKey)
}

// Authorization is what the gate is told of the rights of tokens.
func Authorization(s *v1alpha1.MCPServer) authproxy.Authorization {
	auth := *firstNonNil(s.Spec.Auth, &v1alpha1.Auth{})
	if auth.Authorization == nil {
		return authproxy.Authorization{}
	}
	out := authproxy.Authorization{
		RequiredScopes: auth.Authorization.RequiredScopes,
		DefaultAction:  authproxy.Action(auth.Authorization.DefaultAction),
	}
	for _, rule := range auth.Authorization.Rules {
		out.Rules = append(out.Rules, authproxy.Rule{
			Methods: rule.Methods, Tools: rule.Tools, Prompts: rule.Prompts, Resources: rule.Resources, Scopes: rule.Scopes,
			Claims: claimMatches(rule.Claims),
		})
	}
	return out
}

func resourceMetadata(auth v1alpha1.Auth) *authproxy.ResourceMetadata {
	if auth.ResourceMetadata == nil {
		return nil
	}
	return &authproxy.ResourceMetadata{
		Resource:             auth.ResourceMetadata.Resource,
		AuthorizationServers: auth.ResourceMetadata.AuthorizationServers,
		ScopesSupported:      auth.ResourceMetadata.ScopesSupported,
	}
}

func claimHeaders(auth v1alpha1.Auth) []authproxy.ClaimHeader {
	if auth.Forward == nil {
		return nil
	}
	var out []authproxy.ClaimHeader
	for _, header := range auth.Forward.ClaimToHeaders {
		out = append(out, authproxy.ClaimHeader{Header: header.Header, Claim: header.Claim})
	}
	return out
}

func limits(auth v1alpha1.Auth) authproxy.Limits {
	spec := firstNonNil(auth.Limits, &v1alpha1.Limits{})
	out := authproxy.Limits{
		BodyBytes:         defaultBodyBytes,
		TokenBytes:        valueOr(spec.TokenBytes, defaultTokenBytes),
		FailuresPerSecond: valueOr(spec.FailuresPerSecond, defaultFailuresPerSecond),
		Streams:           valueOr(spec.Streams, defaultStreams),
		Requests:          valueOr(spec.Requests, defaultRequests),
		StreamMaxSeconds:  valueOr(spec.StreamMaxSeconds, defaultStreamMaxSeconds),
	}
	if spec.BodyBytes != nil {
		out.BodyBytes = *spec.BodyBytes
	}
	out.FailureBurst = failureBurst * out.FailuresPerSecond
	if spec.ClientIP != nil {
		out.ClientIP = authproxy.ClientIP{
			TrustedProxies: spec.ClientIP.TrustedProxies, Header: firstNonEmpty(spec.ClientIP.Header, "X-Forwarded-For"),
		}
	}
	return out
}

func sessionBinding(auth v1alpha1.Auth) authproxy.SessionBinding {
	if auth.SessionBinding == v1alpha1.SessionBindingOff {
		return authproxy.SessionBindingOff
	}
	return authproxy.SessionBindingCaller
}
