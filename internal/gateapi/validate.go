package gateapi

import (
	"errors"
	"fmt"
	"mime"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/claimpath"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// problems collects all that is wrong, each with the field where it is.
type problems struct {
	field string // what begins every message
	list  *[]error
}

func (p problems) check(ok bool, format string, args ...any) {
	if !ok {
		*p.list = append(*p.list, fmt.Errorf("%s%w", p.field, fmt.Errorf(format, args...)))
	}
}

// in gives a collector for what is in a field.
func (p problems) in(format string, args ...any) problems {
	return problems{field: p.field + fmt.Sprintf(format, args...), list: p.list}
}

// validate joins every problem into one error.
func (c Config) validate() error {
	p := problems{list: &[]error{}}
	p.check(c.Server.Name != "" && c.Server.UID != "", "server: name and uid must be set")
	for _, port := range []struct {
		field  string
		number int32
	}{{"port", c.Port}, {"adminPort", c.AdminPort}, {"upstream.port", c.Upstream.Port}} {
		p.check(port.number > 0 && port.number < 65536, "%s: %d is no TCP port", port.field, port.number)
	}
	p.check(c.Port != c.AdminPort && c.Port != c.Upstream.Port && c.AdminPort != c.Upstream.Port,
		"port, adminPort and upstream.port must differ")
	taken := []int32{c.Port, c.AdminPort, c.Upstream.Port}
	for _, port := range []struct {
		field  string
		number int32
	}{{"fallbackPort", c.FallbackPort}, {"canaryPort", c.CanaryPort}} {
		p.check(port.number >= 0 && port.number < 65536, "%s: %d is no TCP port", port.field, port.number)
		p.check(port.number == 0 || !slices.Contains(taken, port.number), "%s: %d is another port of the pod", port.field, port.number)
		taken = append(taken, port.number)
	}
	p.check(slices.Contains([]string{"", "debug", "info", "warn", "error"}, c.LogLevel),
		"logLevel: %q is not debug, info, warn or error", c.LogLevel)
	c.Upstream.validate(p)
	for i, origin := range c.AllowedOrigins {
		p.check(isOrigin(origin), "allowedOrigins[%d]: %q is not scheme://host[:port]", i, origin)
	}
	c.validateProviders(p)
	c.validateProbeKey(p)
	c.Authorization.validate(p)
	if c.ResourceMetadata != nil {
		c.ResourceMetadata.validate(p)
	}
	c.validateHealthPaths(p)
	p.check(slices.Contains([]SessionBinding{"", SessionBindingOff, SessionBindingCaller, SessionBindingStateless}, c.SessionBinding),
		"sessionBinding: %q is not Caller, Stateless or Off", c.SessionBinding)
	c.Limits.validate(p)
	p.check(c.Drain.EndpointSeconds >= 0 && c.Drain.RequestSeconds >= 0, "drain: seconds must not be negative")
	return errors.Join(*p.list...)
}

func (u Upstream) validate(p problems) {
	p.check(canBeAsked(u.Path), "upstream.path: %q is no plain path that begins with /", u.Path)
	p.check(u.HealthPath == "" || strings.HasPrefix(u.HealthPath, "/"),
		"upstream.healthPath: %q does not begin with /", u.HealthPath)
	p.check(slices.Contains([]BareServer{"", BareServerOnce, BareServerOff}, u.BareServer),
		"upstream.bareServer: %q is neither Once nor Off", u.BareServer)
	for i, path := range u.ExtraPaths {
		p.check(canBeAsked(path), "upstream.extraPaths[%d]: %q is no plain path that begins with /", i, path)
		p.check(strings.TrimSuffix(path, "/") != strings.TrimSuffix(u.Path, "/"),
			"upstream.extraPaths[%d]: %q is the MCP endpoint: rules would not see into it", i, path)
		p.check(!strings.HasPrefix(path, WellKnownPrefix), "upstream.extraPaths[%d]: %q belongs to the gate", i, path)
	}
	folded := map[string]bool{}
	for i, header := range u.ClaimHeaders {
		p.check(isHeaderName(header.Header), "upstream.claimHeaders[%d]: a header name is needed", i)
		checkClaim(p.in("upstream.claimHeaders[%d].claim", i), header.Claim)
		p.check(!IsProtectedHeader(header.Header), "upstream.claimHeaders[%d]: %s has a meaning of its own", i, header.Header)
		p.check(!folded[FoldHeader(header.Header)], "upstream.claimHeaders[%d]: %s is used twice", i, header.Header)
		folded[FoldHeader(header.Header)] = true
	}
}

// validateHealthPaths keeps what anybody may ask apart from what is behind the lock.
func (c Config) validateHealthPaths(p problems) {
	for i, path := range c.HealthPaths {
		p.check(canBeAsked(path), "healthPaths[%d]: %q is no plain path that begins with /", i, path)
		p.check(strings.TrimSuffix(path, "/") != strings.TrimSuffix(c.Upstream.Path, "/") && !slices.Contains(c.Upstream.ExtraPaths, path),
			"healthPaths[%d]: %q is a path of the server, which nobody may ask without a token", i, path)
		p.check(!strings.HasPrefix(path, WellKnownPrefix), "healthPaths[%d]: %q is a path of the gate's metadata", i, path)
	}
}

func isHeaderName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	})
}

func isOrigin(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && parsed.Scheme != "" && parsed.Host != "" && parsed.User == nil && parsed.Path == "" &&
		parsed.RawQuery == "" && parsed.Fragment == ""
}

func (c Config) validateProviders(p problems) {
	p.check(len(c.Providers) > 0, "providers: at least one is needed, or nobody can enter")
	names, issuers := map[string]bool{}, map[string]bool{}
	for i, provider := range c.Providers {
		p.check(!names[provider.Name], "providers[%d].name: %q is used twice", i, provider.Name)
		p.check(!issuers[provider.Issuer], "providers[%d].issuer: %q is used twice", i, provider.Issuer)
		names[provider.Name], issuers[provider.Issuer] = true, true
		provider.validate(p.in("providers[%d].", i))
	}
}

func (v Provider) validate(p problems) {
	shared := v.Keys.Format == FormatSharedSecret
	p.check(isFileName(v.Name), "name: %q must be a DNS label", v.Name)
	if r := v.Keys.Remote; r != nil && r.Discovery {
		p.check(isWebURL(v.Issuer, r.AllowHTTP) && !strings.Contains(v.Issuer, "?"),
			"issuer: %q must be an https URL without query for discovery", v.Issuer)
	}
	p.check(shared || len(v.Audiences) > 0 || len(v.RequiredClaims) > 0, "audiences: at least one is needed, or requiredClaims")
	p.check(!slices.Contains(v.Audiences, ""), "audiences: none may be empty")
	p.check(len(v.Algorithms) > 0, "algorithms: at least one is needed")
	for _, algorithm := range v.Algorithms {
		p.check(slices.Contains(keys.Algorithms(), algorithm), "algorithms: %q is not one of %v", algorithm, keys.Algorithms())
		p.check(algorithm.Symmetric() == shared, "algorithms: %q does not go with keys of format %q", algorithm, v.Keys.Format)
	}
	p.check(v.ClockSkewSeconds >= 0 && v.ClockSkewSeconds <= 300, "clockSkewSeconds: %d is not within 0 to 300", v.ClockSkewSeconds)
	p.check(v.MaxTokenLifetimeSeconds >= 0, "maxTokenLifetimeSeconds: must not be negative")
	for i, kind := range v.TokenTypes {
		p.check(isTokenType(kind), "tokenTypes[%d]: %q is no type of an access token", i, kind)
	}
	p.check(!strings.ContainsAny(v.Issuer, "{}<>"), "issuer: %q is a template, and no token has it: name each tenant as a provider of its own", v.Issuer)
	for i, name := range v.IdentityClaims {
		checkClaim(p.in("identityClaims[%d]", i), name)
	}
	v.validateRequired(p)
	v.Keys.validate(p.in("keys"))
}

// checkClaim wants the name of a claim that a token can have.
func checkClaim(p problems, name string) {
	_, err := claimpath.Parse(name)
	p.check(err == nil, ": %v", err)
}

// judgedElsewhere are claims that no RequiredClaims may name: other fields are for them, or they say who the caller is.
var judgedElsewhere = []string{"iss", "aud", "exp", "nbf", "iat", "jti", "sub", "scope", "scp", "cnf", ProbePodClaim}

func (v Provider) validateRequired(p problems) {
	for i, want := range v.RequiredClaims {
		p := p.in("requiredClaims[%d]", i)
		checkClaim(p, want.Name)
		first := append(claimpath.MustParse(want.Name), "")[0]
		p.check(!slices.Contains(judgedElsewhere, first), ": %q cannot be required: the provider's other fields, requiredScopes and rules are for it", want.Name)
		p.check(!slices.Contains(v.IdentityClaims, want.Name), ": %q says who the caller is: use a rule for what callers may do", want.Name)
		p.check(len(want.Values) > 0, ": values are needed")
	}
}

func isFileName(name string) bool { return name != "" && !strings.ContainsAny(name, "/.\\") }

// otherTypes are JWTs that are signed for another purpose: to take one for an access token is the confusion that "typ"
// is there to prevent (RFC 8725 section 3.11).
var otherTypes = []string{
	"dpop+jwt", "secevent+jwt", "logout+jwt", "token-introspection+jwt", "id_token+jwt", "kb+jwt", "oauth-authz-req+jwt",
	"entity-statement+jwt", "trust-mark+jwt", "txntoken+jwt", "vc+jwt", "vp+jwt", "vc+sd-jwt", "dc+sd-jwt", "statuslist+jwt",
	"oauth-client-attestation+jwt", "oauth-client-attestation-pop+jwt", "client-authentication+jwt", "openid4vci-proof+jwt",
	"refresh", "refresh+jwt", "rt+jwt", "id", "id+jwt", "id_token", "logout", "logout_token", "refresh_token",
}

func isTokenType(kind string) bool {
	if kind == "" {
		return true
	}
	short := strings.TrimPrefix(strings.ToLower(kind), "application/")
	full, _, err := mime.ParseMediaType("application/" + short)
	// A type with parameters is not taken: it would be another spelling of one.
	return err == nil && full == "application/"+short && !slices.Contains(otherTypes, short)
}

func (s KeySource) validate(p problems) {
	p.check(slices.Contains([]KeyFormat{"", FormatJWKS, FormatPEM, FormatSharedSecret}, s.Format),
		".format: %q is not JWKS, PEM or SharedSecret", s.Format)
	p.check(len(s.Files) <= MaxKeyFiles, ".files: at most %d, not %d", MaxKeyFiles, len(s.Files))
	for i, file := range s.Files {
		p.check(file != "" && file != "." && file != ".." && !strings.ContainsAny(file, "/\\"), ".files[%d]: %q is no file name", i, file)
		p.check(file != RevokedFile, ".files[%d]: %q is the list of revocations", i, file)
	}
	if s.Remote == nil {
		return
	}
	p.check(len(s.Files) == 0 && s.Format != FormatSharedSecret && s.Format != FormatPEM, ".remote: files and format do not go with it")
	r := s.Remote
	p.check((r.JWKSURI != "") != r.Discovery, ".remote: exactly one of jwksURI and discovery must be set")
	p.check(r.JWKSURI == "" || isWebURL(r.JWKSURI, r.AllowHTTP), ".remote.jwksURI: %q must be an https URL", r.JWKSURI)
	p.check(r.MaxStaleSeconds >= 3600, ".remote.maxStaleSeconds: %d is below 3600", r.MaxStaleSeconds)
	p.check(!strings.ContainsAny(r.CAFile, "/\\"), ".remote.caFile: %q is no file name", r.CAFile)
}

func isWebURL(text string, plain bool) bool {
	parsed, err := url.Parse(text)
	return err == nil && (parsed.Scheme == "https" || plain && parsed.Scheme == "http") && parsed.Hostname() != "" &&
		parsed.User == nil && parsed.Fragment == ""
}

func (a Authorization) validate(p problems) {
	p.check(slices.Contains([]Action{"", ActionAllow, ActionDeny}, a.DefaultAction),
		"authorization.defaultAction: %q is neither Allow nor Deny", a.DefaultAction)
	checkScopes(p.in("authorization.requiredScopes"), a.RequiredScopes)
	for i, rule := range a.Rules {
		p := p.in("authorization.rules[%d]", i)
		p.check(len(rule.Methods)+len(rule.Tools)+len(rule.Prompts)+len(rule.Resources) > 0,
			": name methods, tools, prompts or resources")
		for _, names := range [][]string{rule.Methods, rule.Tools, rule.Prompts, rule.Resources} {
			p.check(!slices.Contains(names, ""), ": no name may be empty")
		}
		checkScopes(p.in(".scopes"), rule.Scopes)
		for j, claim := range rule.Claims {
			p.check(len(claim.Values) > 0, ".claims[%d]: values are needed", j)
			checkClaim(p.in(".claims[%d]", j), claim.Name)
		}
	}
}

// checkScopes wants scope-tokens (RFC 6749 section 3.3): they end up in challenges.
func checkScopes(p problems, scopes []string) {
	for i, scope := range scopes {
		p.check(scope != "" && !strings.ContainsFunc(scope, func(c rune) bool {
			return c <= 0x20 || c > 0x7e || c == '"' || c == '\\'
		}), "[%d]: %q is no scope", i, scope)
	}
}

func (m ResourceMetadata) validate(p problems) {
	resource, err := url.Parse(m.Resource)
	p.check(err == nil && isWebURL(m.Resource, true) && resource.RawQuery == "",
		"resourceMetadata.resource: %q must be an absolute URL without query and fragment", m.Resource)
	p.check(len(m.AuthorizationServers) > 0, "resourceMetadata.authorizationServers: at least one is needed")
	for i, server := range m.AuthorizationServers {
		p.check(isWebURL(server, true), "resourceMetadata.authorizationServers[%d]: %q is no URL", i, server)
	}
	checkScopes(p.in("resourceMetadata.scopesSupported"), m.ScopesSupported)
}

func (l Limits) validate(p problems) {
	p.check(l.BodyBytes > 0 && l.TokenBytes > 0, "limits: bodyBytes and tokenBytes must be positive")
	p.check(l.FailuresPerSecond >= 0 && l.FailureBurst >= 0 && l.Streams >= 0 && l.Requests >= 0 && l.StreamMaxSeconds >= 0,
		"limits: nothing may be negative")
	p.check((l.FailuresPerSecond > 0) == (l.FailureBurst > 0), "limits: failuresPerSecond and failureBurst go together")
	ip := l.ClientIP
	p.check(slices.Contains([]string{"", "X-Forwarded-For", "Forwarded"}, ip.Header),
		"limits.clientIP.header: %q is neither X-Forwarded-For nor Forwarded", ip.Header)
	p.check((ip.Header != "") == (len(ip.TrustedProxies) > 0), "limits.clientIP: header and trustedProxies go together")
	for i, network := range ip.TrustedProxies {
		_, err := netip.ParsePrefix(network)
		p.check(err == nil, "limits.clientIP.trustedProxies[%d]: %q is no network such as 10.0.0.0/8", i, network)
	}
}
