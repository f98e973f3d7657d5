package gateapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/mcp-gatehouse/gatehouse/internal/exactjson"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi/schema"
)

// Where the operator puts things into the gate's container and the gate looks for them by default.
const (
	// Schema is the version of Config: of the fields that it has, and of the values that they can have. Package schema
	// has the list of each version.
	Schema = 2
	// ConfigFile carries the schema version in its name: a release that needs another schema writes another file
	// beside this one, so a gate never meets a file it cannot read.
	ConfigFile = "authproxy.v2.json"
	// ConfigDir holds ConfigFile.
	ConfigDir = "/etc/gatehouse/config"
	// KeysDir holds the key files that Provider.Keys name, and RevokedFile.
	KeysDir = "/etc/gatehouse/keys"
	// RevokedFile lists what is no longer accepted although it is signed, at most 10,002 entries, one a line:
	//
	//	jti:<id>                                         one token
	//	sub:<subject>                                    all tokens of a caller
	//	kid:<key>                                        all tokens of a key, by its id in the gate's state
	//	issuedBefore:<RFC 3339 time> [<subject>]         what was issued before that, to anybody or to one caller
	//
	// A subject is the token's "sub", or where the provider has IdentityClaims, the JSON array of their values, such as
	// ["7","a"]; where that is one claim, its value is enough. A token without "iat" counts as issued before any time.
	// A line ends as on any system. Empty lines, and what follows a "#" at the beginning of a line or behind a space, say
	// nothing; space at the edge of a name does not count, neither here nor in the token. A name in which any of that is
	// meant is written as a JSON string: sub:"a # b". The list holds for all providers. It may be absent, unless
	// Config.RequiresRevocations; a list that goes away later stays in force.
	// Of a list with faulty lines the others hold, beside the last good list. A gate that is started with one that it
	// cannot read to its end lets nobody in until it can.
	RevokedFile = "revoked"
	// TLSDir holds TLSCertFile and TLSKeyFile in PEM, as a Secret of type kubernetes.io/tls has them.
	TLSDir      = "/etc/gatehouse/tls"
	TLSCertFile = "tls.crt"
	TLSKeyFile  = "tls.key"
	// SecretDir holds the gate's own secret in SecretFile: 32 random bytes from which further keys are derived. Beside
	// it, while it turns over, are the one that comes and the one that was: sessions sealed with either are known.
	SecretDir          = "/etc/gatehouse/secret"
	SecretFile         = "current"
	NextSecretFile     = "next"
	PreviousSecretFile = "previous"
	// RunDir is a folder in memory that lives as long as the pod, and is the gate's alone. In BareServerFile is what came
	// of Upstream.BareServer.
	RunDir         = "/run/gatehouse"
	BareServerFile = "bare-server"
	// PodUIDEnv names the environment variable with the pod's UID.
	PodUIDEnv = "POD_UID"
	// Program is where the gate's image has its program.
	Program = "/authproxy"
	// ExitPortTaken is how Program exits when another process of the pod has one of its ports (EX_CONFIG of sysexits.h).
	ExitPortTaken = 78
	// TerminateArg is the argument with which Program tells the gate of its container that the pod is ending.
	TerminateArg = "terminate"
)

// TerminateCommand is the preStop hook of the gate's container. It runs in that container, so nobody can do the same who
// may not execute programs there: no request over a network, and no other container of the pod.
func TerminateCommand() []string { return []string{Program, TerminateArg} }

// ConfigFileOf is the name of the configuration file of a schema version.
func ConfigFileOf(version int) string { return fmt.Sprintf("authproxy.v%d.json", version) }

// KeysFile is the name of a provider's JWK Set of public keys, where its Keys name no file.
func KeysFile(provider string) string { return provider + ".jwks" }

// Config is all that the operator tells a gate: the contract between the two. The operator writes it as JSON, the gate
// reads it with ParseConfig. It holds no secret.
type Config struct {
	// Server names the MCPServer, for challenges and logs.
	Server ServerID `json:"server"`
	// Port serves MCP clients, AdminPort the kubelet, the operator and metrics scrapers. A running gate follows
	// changes of its configuration except of these, of FallbackPort, of CanaryPort, of TLS and of Upstream.Port: they belong
	// to the pod it runs in.
	Port      int32 `json:"port"`
	AdminPort int32 `json:"adminPort"`
	// FallbackPort serves MCP clients like Port, for a Service that has no ready pod: kube-proxy tells endpoints apart by
	// address and port, and that at Port is the control plane's, which says that it is not ready. 0: there is none.
	FallbackPort int32 `json:"fallbackPort,omitempty"`
	// CanaryPort takes connections and closes them at once, without a word. The NetworkPolicy opens it to nobody: whoever
	// reaches it from outside of the pod knows that policies are not enforced. 0: there is none.
	CanaryPort int32 `json:"canaryPort,omitempty"`
	// TLS serves clients over TLS, with the certificate in TLSDir.
	TLS bool `json:"tls,omitempty"`
	// LogLevel is debug, info, warn or error, for what the gate tells of its own doings; empty leaves it as the program was
	// told at its start.
	LogLevel string `json:"logLevel,omitempty"`
	// Upstream is the server behind the gate.
	Upstream Upstream `json:"upstream"`
	// AllowedHosts are the names, without port and in lower case, that a request's Host may have. IP addresses and
	// "localhost" need no entry: no name that resolves to them can be rebound. Any other Host is answered 421.
	AllowedHosts []string `json:"allowedHosts"`
	// AllowedOrigins are the origins (scheme://host[:port]) that browsers may send; any other is answered 403
	// (MCP transports, "Security Warning"). Requests without an Origin pass, and those whose Origin is their own Host.
	// Preflight requests (Fetch, "CORS-preflight request") of these origins are answered by the gate.
	AllowedOrigins []string `json:"allowedOrigins,omitempty"`
	// Providers say whose tokens are accepted.
	Providers []Provider `json:"providers"`
	// ProbeKey lets the operator try the lock of providers whose keys it does not have. Nil: nobody but the issuers can
	// make a token that is let in.
	ProbeKey *ProbeKey `json:"probeKey,omitempty"`
	// RequiresRevocations: RevokedFile is published, so a gate that has never read it lets nobody in.
	RequiresRevocations bool `json:"requiresRevocations,omitempty"`
	// Authorization says what the bearer of an accepted token may do.
	Authorization Authorization `json:"authorization,omitzero"`
	// ResourceMetadata is published for clients that look for an authorization server; nil publishes nothing.
	ResourceMetadata *ResourceMetadata `json:"resourceMetadata,omitempty"`
	// HealthPaths are answered by the gate itself to a GET or HEAD of anybody: 200 while it is ready, else 503. Neither the
	// server nor a path that is the server's is behind them.
	HealthPaths []string `json:"healthPaths,omitempty"`
	// SessionBinding says to whom a session belongs.
	SessionBinding SessionBinding `json:"sessionBinding,omitempty"`
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
	// TrailingSlash takes Path with one more "/" at its end for Path. The server gets Path.
	TrailingSlash bool `json:"trailingSlash,omitempty"`
	// ExtraPaths are further paths that are passed on, byte for byte as they are here, with any method: for whoever has
	// a good token and RequiredScopes. Rules do not see into them.
	ExtraPaths []string `json:"extraPaths,omitempty"`
	// HealthPath answers below 500 to a GET without a token while the server is well. Empty: a TCP connection that
	// is accepted counts.
	HealthPath string `json:"healthPath,omitempty"`
	// ForwardAuthorization passes the verified Authorization header on; by default it is removed.
	ForwardAuthorization bool `json:"forwardAuthorization,omitempty"`
	// ClaimHeaders tell the server who is asking. A client's own headers of these names, in any spelling that a server
	// may take for them, are removed, also where the claim is absent.
	ClaimHeaders []ClaimHeader `json:"claimHeaders,omitempty"`
	// BareServer says whether the server is asked what it does without the gate.
	BareServer BareServer `json:"bareServer,omitempty"`
}

// BareServer says whether the server is asked, past the gate, what it does with requests without a token and with a
// malformed one.
type BareServer string

const (
	// BareServerOnce: once in the life of a pod, when the server is well and before the gate is ready. What came of it is
	// told, and decides nothing. It needs RunDir; what was configured at the start of the gate counts.
	BareServerOnce BareServer = "Once"
	// BareServerOff: never. The default.
	BareServerOff BareServer = "Off"
)

// ClaimHeader passes a claim of the verified token on as a request header: strings as they are, all else as JSON. A
// claim that is absent, empty, or would not arrive as it is (it has a character outside printable ASCII, or a space at
// either end) leaves the header out.
type ClaimHeader struct {
	Header string `json:"header"`
	Claim  string `json:"claim"`
}

// SessionBinding says to whom a session belongs.
type SessionBinding string

const (
	// SessionBindingCaller: to the caller who opened it; for anybody else it does not exist. It needs the gate's secret.
	SessionBindingCaller SessionBinding = "Caller"
	// SessionBindingStateless: the server keeps no sessions. An id that no gate has sealed is left out of the request, and not
	// refused. A session that the server opens all the same belongs to its caller.
	SessionBindingStateless SessionBinding = "Stateless"
	// SessionBindingOff: to whoever knows its id. The default.
	SessionBindingOff SessionBinding = "Off"
)

// BindsSessions reports whether a session that the server opens belongs to its caller.
func (c Config) BindsSessions() bool {
	return c.SessionBinding == SessionBindingCaller || c.SessionBinding == SessionBindingStateless
}

// ResourceMetadata is the protected resource metadata of RFC 9728, served under /.well-known/oauth-protected-resource
// to anybody, and named in challenges. Nothing of it is ever taken from a request.
type ResourceMetadata struct {
	// Resource is the URL that clients use for this server: absolute, https or http, without query and fragment.
	Resource string `json:"resource"`
	// AuthorizationServers are issuer URLs, at least one.
	AuthorizationServers []string `json:"authorizationServers"`
	// ScopesSupported is what clients should ask for.
	ScopesSupported []string `json:"scopesSupported,omitempty"`
}

// Limits bound what a request may cost. BodyBytes and TokenBytes must be positive; elsewhere 0 is no bound.
type Limits struct {
	// BodyBytes bounds a request body: 413 above it.
	BodyBytes int64 `json:"bodyBytes"`
	// TokenBytes bounds a bearer token: 401 above it.
	TokenBytes int32 `json:"tokenBytes"`
	// FailuresPerSecond is how many bad signatures of one source are checked at once; FailureBurst may come at a time.
	// Above that, new signatures of that source are checked in turn, and answered 429 if their turn does not come in time.
	FailuresPerSecond int32 `json:"failuresPerSecond,omitempty"`
	FailureBurst      int32 `json:"failureBurst,omitempty"`
	// Streams is how many streams one caller may have open on one gate: 429 above it.
	Streams int32 `json:"streams,omitempty"`
	// Requests is how many requests one caller may have in progress on one gate: 429 above it.
	Requests int32 `json:"requests,omitempty"`
	// StreamMaxSeconds bounds the life of a stream, whatever its token.
	StreamMaxSeconds int32 `json:"streamMaxSeconds,omitempty"`
	// ClientIP says where requests come from; the default is the TCP connection's other end.
	ClientIP ClientIP `json:"clientIP,omitzero"`
}

// ClientIP believes a header about where a request comes from, if a proxy sent it that is known to set it.
type ClientIP struct {
	// TrustedProxies are networks (CIDR). The source is the right-most address in the header that is not in them.
	TrustedProxies []string `json:"trustedProxies,omitempty"`
	// Header is "X-Forwarded-For" or "Forwarded" (RFC 7239).
	Header string `json:"header,omitempty"`
}

// Drain says how the gate lets go of its clients when its pod ends.
type Drain struct {
	// EndpointSeconds is how long the quiesce hook waits for the pod to leave its Service's endpoints.
	EndpointSeconds int32 `json:"endpointSeconds"`
	// RequestSeconds is how long it waits, after that, for requests in flight.
	RequestSeconds int32 `json:"requestSeconds"`
}

// ParseConfig reads a Config strictly: a field it does not know, case included, one that is there twice, text behind the end, or a value that makes no sense
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
	// The decoder takes "PORT" for "port", and the last of two.
	if err := errors.Join(exactjson.Check(data), schema.Reads(Schema, data)); err != nil {
		return Config{}, fmt.Errorf("gate configuration: not in the spelling of schema v%d: %w", Schema, err)
	}
	return config, nil
}
