package quilt

import (
	"fmt"
	"net"
	"slices"
	"strings"
)

// Release is one that the package knows.
type Release string

const (
	// Release014 is 0.14.1.
	Release014 Release = "0.14"
	// Release021 is 0.21.0; 0.15 to 0.22 do as it does in all that is seen here, but that 0.22 wants no registry.
	Release021 Release = "0.21"
	// Release022 is 0.22.0.
	Release022 Release = "0.22"
)

// Config is what a server has read at its start.
type Config struct {
	Release Release
	// Multiuser: requests need a token. Without it the server is open, and keeps sessions.
	Multiuser bool
	// Fallback is a token for requests that have none.
	Fallback string
	// Secret, Issuer and Audience are what 0.14 verifies tokens by.
	Secret, Issuer, Audience string
	// Addr is the host:port to listen on; empty is standard input and output.
	Addr string
}

// ConfigError keeps a server from starting: it exits with code 1.
type ConfigError struct {
	problems                      []string
	release                       Release
	deployment, backend, guidance string
}

func (e *ConfigError) Error() string {
	return "Invalid configuration: " + strings.Join(e.problems, "; ")
}

// ReadConfig reads arguments and environment as the release does. env is os.LookupEnv.
func ReadConfig(release Release, args []string, env func(string) (string, bool)) (Config, error) {
	get := func(name string) string {
		value, _ := env(name)
		return value
	}
	c := Config{
		Release: release, Fallback: strings.TrimSpace(get("QUILT_FALLBACK_JWT")),
		Secret: get("MCP_JWT_SECRET"), Issuer: get("MCP_JWT_ISSUER"), Audience: get("MCP_JWT_AUDIENCE"),
	}
	transport := "stdio"
	var err error
	switch release {
	case Release014:
		c.Multiuser, c.Fallback = isTrue(get("QUILT_MULTIUSER_MODE")), ""
		err = c.validate014(get)
	case Release021, Release022:
		transport, err = c.deploy(args, env)
	default:
		return c, fmt.Errorf("unknown release %q: use %s, %s or %s", release, Release014, Release021, Release022)
	}
	if err != nil {
		return c, err
	}
	if value, isSet := env("FASTMCP_TRANSPORT"); isSet {
		transport = value
	}
	if slices.Contains([]string{"http", "sse", "streamable-http"}, transport) { // A typing error here is stdio.
		c.Addr = net.JoinHostPort(first(get("FASTMCP_ADDR"), get("FASTMCP_HOST"), "127.0.0.1"), first(get("FASTMCP_PORT"), "8000"))
	}
	return c, nil
}

func (c *Config) validate014(get func(string) string) error {
	if !c.Multiuser {
		return nil
	}
	e := &ConfigError{release: c.Release, guidance: "In multiuser mode, ensure MCP_JWT_SECRET, MCP_JWT_ISSUER and MCP_JWT_AUDIENCE are set."}
	for _, name := range []string{"QUILT_CATALOG_URL", "QUILT_REGISTRY_URL", "MCP_JWT_SECRET"} {
		if get(name) == "" {
			e.problems = append(e.problems, "Multiuser mode requires "+name+" environment variable")
		}
	}
	return e.orNil()
}

// deploy finds out what is deployed. What is not legacy is multiuser, unless the argument --backend says quilt3.
func (c *Config) deploy(args []string, env func(string) (string, bool)) (transport string, err error) {
	deployment, backend := deploymentOf(args, env), argument(args, "--backend")
	if backend == "" {
		backend = map[string]string{"remote": "platform", "local": "platform", "legacy": "quilt3"}[deployment]
	}
	e := &ConfigError{release: c.Release, deployment: deployment, backend: backend}
	if backend == "" {
		e.problems, e.backend = []string{fmt.Sprintf("Invalid deployment mode '%s'. Expected one of: remote, local, legacy", deployment)}, "platform"
		return "", e
	}
	wanted := []string{"QUILT_CATALOG_URL", "QUILT_REGISTRY_URL"}
	if c.Release == Release022 { // It finds the registry by the catalog's configuration.
		wanted = wanted[:1]
	}
	e.guidance = "Platform backend needs " + strings.Join(wanted, " and ") + "."
	c.Multiuser = backend == "platform"
	for _, name := range wanted {
		if value, _ := env(name); value == "" && c.Multiuser {
			e.problems = append(e.problems, "Platform backend requires "+name+" environment variable")
		}
	}
	if deployment == "remote" {
		return "http", e.orNil()
	}
	return "stdio", e.orNil()
}

// deploymentOf goes by the argument before QUILT_DEPLOYMENT before the backend before QUILT_MULTIUSER_MODE.
func deploymentOf(args []string, env func(string) (string, bool)) string {
	fromEnv, _ := env("QUILT_DEPLOYMENT")
	multiuser, isSet := env("QUILT_MULTIUSER_MODE")
	named := first(argument(args, "--deployment"), fromEnv)
	switch {
	case named != "":
		return strings.ToLower(strings.TrimSpace(named))
	case argument(args, "--backend") == "quilt3", isSet && !isTrue(multiuser):
		return "legacy"
	default:
		return "local"
	}
}

func (e *ConfigError) orNil() error {
	if len(e.problems) == 0 {
		return nil
	}
	return e
}

// argument is the value of the last argument of this name, "--name value" or "--name=value".
func argument(args []string, name string) (value string) {
	for i, arg := range args {
		if text, found := strings.CutPrefix(arg, name+"="); found {
			value = text
		}
		if arg == name && i+1 < len(args) {
			value = args[i+1]
		}
	}
	return value
}

func isTrue(text string) bool {
	return slices.Contains([]string{"true", "1", "yes", "on"}, strings.ToLower(text))
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
