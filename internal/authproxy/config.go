package authproxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Where the operator puts things into the gate's container and the gate looks for them by default.
const (
	// ConfigFile carries the schema version in its name: a release that needs another schema writes another file
	// beside this one, so a gate never meets a file it cannot read.
	ConfigFile = "authproxy.v1.json"
	// ConfigDir holds ConfigFile.
	ConfigDir = "/etc/gatehouse/config"
	// KeysDir holds one JWK Set per provider, named by KeysFile.
	KeysDir = "/etc/gatehouse/keys"
	// SecretDir holds the gate's own secret in SecretFile: 32 random bytes from which further keys are derived.
	SecretDir  = "/etc/gatehouse/secret"
	SecretFile = "current"
	// PodUIDEnv names the environment variable with the pod's UID.
	PodUIDEnv = "POD_UID"
)

// KeysFile is the name of a provider's JWK Set of public keys.
func KeysFile(provider string) string { return provider + ".jwks" }

// Config is all that the operator tells a gate: the contract between the two. The operator writes it as JSON, the gate
// reads it with ParseConfig. It holds no secret.
type Config struct {
	// Server names the MCPServer, for challenges and logs.
	Server ServerID `json:"server"`
	// Port serves MCP clients, AdminPort the kubelet, the operator and metrics scrapers.
	Port      int32 `json:"port"`
	AdminPort int32 `json:"adminPort"`
	// Upstream is the server behind the gate.
	Upstream Upstream `json:"upstream"`
	// AllowedHosts are the names, without port and in lower case, that a request's Host may have. IP addresses and
	// "localhost" need no entry: no name that resolves to them can be rebound. Any other Host is answered 421.
	AllowedHosts []string `json:"allowedHosts"`
	// AllowedOrigins are the origins (scheme://host[:port]) that browsers may send; any other is answered 403
	// (MCP transports, "Security Warning"). Requests without an Origin pass, and those whose Origin is their own Host.
	AllowedOrigins []string `json:"allowedOrigins,omitempty"`
	// Providers say whose tokens are accepted.
	Providers []Provider `json:"providers"`
	// Limits bound what a request may cost.
	Limits Limits `json:"limits"`
	// Drain says how the gate lets go of its clients.
	Drain Drain `json:"drain"`
}

// ServerID identifies an MCPServer.
type ServerID struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
}

// Upstream is the server behind the gate, on the pod's loopback.
type Upstream struct {
	Port int32 `json:"port"`
	// Path is the MCP endpoint, the same on the gate and on the server; it begins with "/".
	Path string `json:"path"`
	// HealthPath answers below 500 to a GET without a token while the server is well. Empty: a TCP connection that
	// is accepted counts.
	HealthPath string `json:"healthPath,omitempty"`
	// ForwardAuthorization passes the verified Authorization header on; by default it is removed.
	ForwardAuthorization bool `json:"forwardAuthorization,omitempty"`
}

// Provider is one issuer of tokens. Its keys are in the file KeysFile(Name).
type Provider struct {
	// Name is a DNS label, unique in the Config.
	Name string `json:"name"`
	// Issuer is the exact "iss" value.
	Issuer string `json:"issuer"`
	// Audiences: a token must carry at least one of them in "aud".
	Audiences []string `json:"audiences"`
	// Algorithms are the JWS algorithms accepted from this provider.
	Algorithms []keys.Algorithm `json:"algorithms"`
	// ClockSkewSeconds is the leeway on "exp", "nbf" and "iat".
	ClockSkewSeconds int32 `json:"clockSkewSeconds"`
	// MaxTokenLifetimeSeconds bounds "exp" minus "iat"; 0 is no bound.
	MaxTokenLifetimeSeconds int32 `json:"maxTokenLifetimeSeconds,omitempty"`
}

// Limits bound what a request may cost. Zero values are refused.
type Limits struct {
	// BodyBytes bounds a request body: 413 above it.
	BodyBytes int64 `json:"bodyBytes"`
	// TokenBytes bounds a bearer token: 401 above it.
	TokenBytes int32 `json:"tokenBytes"`
}

// Drain says how the gate lets go of its clients when its pod ends.
type Drain struct {
	// EndpointSeconds is how long the quiesce hook waits for the pod to leave its Service's endpoints.
	EndpointSeconds int32 `json:"endpointSeconds"`
	// RequestSeconds is how long it waits, after that, for requests in flight.
	RequestSeconds int32 `json:"requestSeconds"`
}

// ParseConfig reads a Config strictly: a field it does not know, text behind the end, or a value that makes no sense
// is an error, and all that is wrong is named at once.
func ParseConfig(data []byte) (Config, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var config Config
	if err := decoder.Decode(&config); err != nil {
		return Config{}, fmt.Errorf("gate configuration: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Config{}, errors.New("gate configuration: more than one JSON value")
	}
	if err := config.validate(); err != nil {
		return Config{}, fmt.Errorf("gate configuration: %w", err)
	}
	return config, nil
}

// validate joins every problem into one error.
func (c Config) validate() error {
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	check(c.Server.Name != "" && c.Server.UID != "", "server: name and uid must be set")
	for field, port := range map[string]int32{"port": c.Port, "adminPort": c.AdminPort, "upstream.port": c.Upstream.Port} {
		check(port > 0 && port < 65536, "%s: %d is no TCP port", field, port)
	}
	check(c.Port != c.AdminPort && c.Port != c.Upstream.Port && c.AdminPort != c.Upstream.Port,
		"port, adminPort and upstream.port must differ")
	check(strings.HasPrefix(c.Upstream.Path, "/"), "upstream.path: %q does not begin with /", c.Upstream.Path)
	check(c.Upstream.HealthPath == "" || strings.HasPrefix(c.Upstream.HealthPath, "/"),
		"upstream.healthPath: %q does not begin with /", c.Upstream.HealthPath)
	for i, origin := range c.AllowedOrigins {
		check(isOrigin(origin), "allowedOrigins[%d]: %q is not scheme://host[:port]", i, origin)
	}
	check(c.Limits.BodyBytes > 0 && c.Limits.TokenBytes > 0, "limits: bodyBytes and tokenBytes must be positive")
	check(c.Drain.EndpointSeconds >= 0 && c.Drain.RequestSeconds >= 0, "drain: seconds must not be negative")
	check(len(c.Providers) > 0, "providers: at least one is needed, or nobody can enter")
	names, issuers := map[string]bool{}, map[string]bool{}
	for i, provider := range c.Providers {
		check(!names[provider.Name], "providers[%d].name: %q is used twice", i, provider.Name)
		check(!issuers[provider.Issuer], "providers[%d].issuer: %q is used twice", i, provider.Issuer)
		names[provider.Name], issuers[provider.Issuer] = true, true
		problems = append(problems, provider.validate(i)...)
	}
	return errors.Join(problems...)
}

func isOrigin(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && parsed.Scheme != "" && parsed.Host != "" && parsed.Path == ""
}

func (p Provider) validate(index int) []error {
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf("providers[%d].%s", index, fmt.Sprintf(format, args...)))
		}
	}
	check(p.Name != "" && !strings.ContainsAny(p.Name, "/.\\"), "name: %q must be a DNS label", p.Name)
	check(p.Issuer != "", "issuer: must be set")
	check(len(p.Audiences) > 0 && !slices.Contains(p.Audiences, ""), "audiences: at least one is needed, none empty")
	check(len(p.Algorithms) > 0, "algorithms: at least one is needed")
	for _, algorithm := range p.Algorithms {
		check(slices.Contains(keys.Algorithms(), algorithm), "algorithms: %q is not one of %v", algorithm, keys.Algorithms())
	}
	check(p.ClockSkewSeconds >= 0 && p.ClockSkewSeconds <= 300, "clockSkewSeconds: %d is not within 0 to 300", p.ClockSkewSeconds)
	check(p.MaxTokenLifetimeSeconds >= 0, "maxTokenLifetimeSeconds: must not be negative")
	return problems
}
