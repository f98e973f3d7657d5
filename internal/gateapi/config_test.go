package gateapi_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// written is a configuration as the operator writes it. A change of this text is a change of the contract: gates of
// older releases read it, too.
const written = `{
  "server": {"namespace": "tools", "name": "weather", "uid": "0b5f"},
  "port": 8080,
  "adminPort": 9090,
  "canaryPort": 29090,
  "logLevel": "warn",
  "upstream": {"port": 8000, "path": "/mcp", "healthPath": "/health", "forwardAuthorization": true, "bareServer": "Once"},
  "allowedHosts": ["weather", "weather.tools.svc"],
  "allowedOrigins": ["https://app.example"],
  "providers": [{
    "name": "managed", "issuer": "urn:i", "audiences": ["urn:a"], "algorithms": ["EdDSA", "ES256"],
    "clockSkewSeconds": 30, "maxTokenLifetimeSeconds": 3600
  }],
  "limits": {"bodyBytes": 4194304, "tokenBytes": 8192},
  "drain": {"endpointSeconds": 5, "requestSeconds": 30}
}`

func validConfig() gateapi.Config {
	return gateapi.Config{
		Server: gateapi.ServerID{Namespace: "tools", Name: "weather", UID: "0b5f"},
		Port:   8080, AdminPort: 9090, CanaryPort: 29090, LogLevel: "warn",
		Upstream:       gateapi.Upstream{Port: 8000, Path: "/mcp", HealthPath: "/health", ForwardAuthorization: true, BareServer: gateapi.BareServerOnce},
		AllowedHosts:   []string{"weather", "weather.tools.svc"},
		AllowedOrigins: []string{"https://app.example"},
		Providers: []gateapi.Provider{{
			Name: "managed", Issuer: "urn:i", Audiences: []string{"urn:a"},
			Algorithms: []keys.Algorithm{keys.EdDSA, keys.ES256}, ClockSkewSeconds: 30, MaxTokenLifetimeSeconds: 3600,
		}},
		Limits: gateapi.Limits{BodyBytes: 4 << 20, TokenBytes: 8 << 10},
		Drain:  gateapi.Drain{EndpointSeconds: 5, RequestSeconds: 30},
	}
}

func TestParseConfig(t *testing.T) {
	got, err := gateapi.ParseConfig([]byte(written))
	if err != nil || !reflect.DeepEqual(got, validConfig()) {
		t.Errorf("got %+v, %v", got, err)
	}
	data, err := json.Marshal(validConfig())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := gateapi.ParseConfig(data); err != nil || !reflect.DeepEqual(got, validConfig()) {
		t.Errorf("what is written is not what is read: %+v, %v", got, err)
	}
}

func TestParseConfigIsStrict(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "EOF",
		"[]":                                   "cannot unmarshal",
		`{"open":true}`:                        `unknown field "open"`,
		written + "{}":                         "more than one JSON value",
		`{"limits":{"bodyBytes":"unlimited"}}`: "cannot unmarshal",
		"{}":                                   "providers: at least one is needed",
		strings.Replace(written, `"port"`, `"PORT"`, 1):                            "not in the spelling of schema v2: PORT",
		strings.Replace(written, `"audiences"`, `"Audiences"`, 1):                  "providers[].Audiences",
		strings.Replace(written, `"providers"`, `"provider\u017f"`, 1):             "providerſ",
		strings.Replace(written, `"providers"`, `"PROVIDERS": [], "providers"`, 1): "PROVIDERS",
		strings.Replace(written, `"providers"`, `"port": 1, "providers"`, 1):       `the member "port" is there twice`,
		strings.Replace(written, `"audiences"`, `"issuer": "x", "audiences"`, 1):   `the member "issuer" is there twice`,
	} {
		if _, err := gateapi.ParseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %q", text, err, want)
		}
	}
}

func TestConfigThatMakesNoSense(t *testing.T) {
	for want, change := range map[string]func(*gateapi.Config){
		"server: name and uid":                       func(c *gateapi.Config) { c.Server.UID = "" },
		"port: 0 is no TCP port":                     func(c *gateapi.Config) { c.Port = 0 },
		"adminPort: 65536 is no TCP port":            func(c *gateapi.Config) { c.AdminPort = 65536 },
		"upstream.port: -1 is no TCP port":           func(c *gateapi.Config) { c.Upstream.Port = -1 },
		"canaryPort: 65536 is no TCP port":           func(c *gateapi.Config) { c.CanaryPort = 65536 },
		"canaryPort: 8000 is another port":           func(c *gateapi.Config) { c.CanaryPort = c.Upstream.Port },
		`upstream.bareServer: "Twice" is neither`:    func(c *gateapi.Config) { c.Upstream.BareServer = "Twice" },
		"must differ":                                func(c *gateapi.Config) { c.AdminPort = c.Upstream.Port },
		`upstream.path: "mcp"`:                       func(c *gateapi.Config) { c.Upstream.Path = "mcp" },
		`upstream.healthPath: "health"`:              func(c *gateapi.Config) { c.Upstream.HealthPath = "health" },
		`upstream.path: "/a/../mcp"`:                 func(c *gateapi.Config) { c.Upstream.Path = "/a/../mcp" },
		`upstream.path: "/mcp?x"`:                    func(c *gateapi.Config) { c.Upstream.Path = "/mcp?x" },
		`extraPaths[0]: "/a b" is no plain path`:     func(c *gateapi.Config) { c.Upstream.ExtraPaths = []string{"/a b"} },
		`extraPaths[0]: "/mcp/" is the MCP endpoint`: func(c *gateapi.Config) { c.Upstream.ExtraPaths = []string{"/mcp/"} },
		"X-User is used twice": func(c *gateapi.Config) {
			c.Upstream.ClaimHeaders = []gateapi.ClaimHeader{{Header: "X-USER", Claim: "a"}, {Header: "X-User", Claim: "b"}}
		},
		"X-Forwarded-For has a meaning of its own": func(c *gateapi.Config) {
			c.Upstream.ClaimHeaders = []gateapi.ClaimHeader{{Header: "X-Forwarded-For", Claim: "a"}}
		},
		`allowedOrigins[0]: "https://u@a.b"`:        func(c *gateapi.Config) { c.AllowedOrigins = []string{"https://u@a.b"} },
		`allowedOrigins[0]: "*"`:                    func(c *gateapi.Config) { c.AllowedOrigins = []string{"*"} },
		`allowedOrigins[0]: "https://a.b/c"`:        func(c *gateapi.Config) { c.AllowedOrigins = []string{"https://a.b/c"} },
		"limits: bodyBytes and tokenBytes":          func(c *gateapi.Config) { c.Limits.TokenBytes = 0 },
		"drain: seconds":                            func(c *gateapi.Config) { c.Drain.EndpointSeconds = -1 },
		"providers: at least one":                   func(c *gateapi.Config) { c.Providers = nil },
		`providers[1].name: "managed" is used`:      func(c *gateapi.Config) { c.Providers = append(c.Providers, c.Providers[0]) },
		`providers[1].issuer: "urn:i" is used`:      func(c *gateapi.Config) { c.Providers = append(c.Providers, c.Providers[0]) },
		`providers[0].name: "../etc"`:               func(c *gateapi.Config) { c.Providers[0].Name = "../etc" },
		"providers[0].audiences: at least one":      func(c *gateapi.Config) { c.Providers[0].Audiences = nil },
		"providers[0].audiences: none may be empty": func(c *gateapi.Config) { c.Providers[0].Audiences = []string{""} },
		"providers[0].algorithms: at least one":     func(c *gateapi.Config) { c.Providers[0].Algorithms = nil },
		`algorithms: "none" is not one of`:          func(c *gateapi.Config) { c.Providers[0].Algorithms = []keys.Algorithm{"none"} },
		"clockSkewSeconds: 301":                     func(c *gateapi.Config) { c.Providers[0].ClockSkewSeconds = 301 },
		"maxTokenLifetimeSeconds":                   func(c *gateapi.Config) { c.Providers[0].MaxTokenLifetimeSeconds = -1 },
		`tokenTypes[1]: "Logout+JWT" is no type`:    func(c *gateapi.Config) { c.Providers[0].TokenTypes = []string{"JWT", "Logout+JWT"} },
		`tokenTypes[0]: "application/dpop+jwt"`:     func(c *gateapi.Config) { c.Providers[0].TokenTypes = []string{"application/dpop+jwt"} },
		`tokenTypes[0]: "dpop+jwt; v=1"`:            func(c *gateapi.Config) { c.Providers[0].TokenTypes = []string{"dpop+jwt; v=1"} },
		`tokenTypes[0]: "a/b/c"`:                    func(c *gateapi.Config) { c.Providers[0].TokenTypes = []string{"a/b/c"} },
		"identityClaims[0]: a name is needed":       func(c *gateapi.Config) { c.Providers[0].IdentityClaims = []string{""} },
		`"HS256" does not go with keys`:             func(c *gateapi.Config) { c.Providers[0].Algorithms = []keys.Algorithm{keys.HS256} },
		`"EdDSA" does not go with keys`:             func(c *gateapi.Config) { c.Providers[0].Keys.Format = gateapi.FormatSharedSecret },
		`keys.format: "DER"`:                        func(c *gateapi.Config) { c.Providers[0].Keys.Format = "DER" },
		"keys.files: at most 4, not 5":              func(c *gateapi.Config) { c.Providers[0].Keys.Files = strings.Split("a b c d e", " ") },
		`keys.files[1]: "../x" is no file name`:     func(c *gateapi.Config) { c.Providers[0].Keys.Files = []string{"a", "../x"} },
		`keys.files[0]: "revoked" is the list`:      func(c *gateapi.Config) { c.Providers[0].Keys.Files = []string{"revoked"} },
	} {
		changed := validConfig()
		change(&changed)
		data, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gateapi.ParseConfig(data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	// All problems are told at once.
	if _, err := gateapi.ParseConfig([]byte("{}")); strings.Count(err.Error(), "\n") < 5 {
		t.Errorf("got %v", err)
	}
}

// FuzzConfig: whatever the text, reading it does not panic; and what was read says, written again, the same.
func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		written, "{}", "[]", "null", `{"providers":[{"keys":{"remote":{"jwksURI":"https://[::1"}}}]}`,
		strings.Replace(written, `"audiences": ["urn:a"]`, `"tokenTypes": ["", "JWT"], "identityClaims": ["id"], "keys": {"format": "SharedSecret", "files": ["a"]}`, 1),
		strings.Replace(written, `"limits": {`, `"resourceMetadata": {"resource": "https://m.example/mcp", "authorizationServers": ["https://a.example"]}, "limits": {"clientIP": {"trustedProxies": ["10.0.0.0/8"], "header": "Forwarded"}, `, 1),
		strings.Replace(written, `"limits":`, `"probeKey": `+writtenProbeKey+`, "limits":`, 1),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := gateapi.ParseConfig(data)
		if err != nil {
			return
		}
		once, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		again, err := gateapi.ParseConfig(once)
		if err != nil {
			t.Fatalf("%s: what is written cannot be read: %v", once, err)
		}
		if twice, err := json.Marshal(again); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%s became %s, %v", once, twice, err)
		}
	})
}
