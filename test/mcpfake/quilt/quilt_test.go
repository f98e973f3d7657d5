package quilt_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/test/mcpfake/quilt"
)

const secret = "test-secret"

// variables are an environment, written "NAME=value".
func variables(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, pair := range pairs {
			if value, found := strings.CutPrefix(pair, name+"="); found {
				return value, true
			}
		}
		return "", false
	}
}

// whole is what makes every release start in multiuser mode.
var whole = []string{
	"QUILT_MULTIUSER_MODE=true", "QUILT_CATALOG_URL=http://c.example.com", "QUILT_REGISTRY_URL=http://r.example.com",
	"MCP_JWT_SECRET=" + secret, "FASTMCP_TRANSPORT=http", "FASTMCP_HOST=127.0.0.1", "FASTMCP_PORT=8123",
}

func TestReadConfig(t *testing.T) {
	const both = "QUILT_CATALOG_URL=c QUILT_REGISTRY_URL=r "
	for name, c := range map[string]struct {
		release   quilt.Release
		args, env string
		multiuser bool
		addr, err string
	}{
		"0.14":                             {quilt.Release014, "", both + "QUILT_MULTIUSER_MODE=on MCP_JWT_SECRET=s FASTMCP_TRANSPORT=http", true, "127.0.0.1:8000", ""},
		"0.14 without anything":            {quilt.Release014, "", "FASTMCP_TRANSPORT=http QUILT_DEPLOYMENT=remote", false, "127.0.0.1:8000", ""},
		"0.14 without the catalog":         {quilt.Release014, "", "QUILT_MULTIUSER_MODE=true MCP_JWT_SECRET=s", true, "", "Invalid configuration: Multiuser mode requires QUILT_CATALOG_URL environment variable; Multiuser mode requires QUILT_REGISTRY_URL environment variable"},
		"0.14 without the secret":          {quilt.Release014, "", both + "QUILT_MULTIUSER_MODE=true", true, "", "Invalid configuration: Multiuser mode requires MCP_JWT_SECRET environment variable"},
		"0.21, a spelling that is false":   {quilt.Release021, "", both + "QUILT_MULTIUSER_MODE=enabled FASTMCP_TRANSPORT=http", false, "127.0.0.1:8000", ""},
		"0.21, remote beats the old word":  {quilt.Release021, "", both + "QUILT_MULTIUSER_MODE=false QUILT_DEPLOYMENT=remote", true, "127.0.0.1:8000", ""},
		"0.21, the argument beats all":     {quilt.Release021, "--deployment legacy", both + "QUILT_MULTIUSER_MODE=true QUILT_DEPLOYMENT=remote FASTMCP_TRANSPORT=http", false, "127.0.0.1:8000", ""},
		"0.21, another argument does":      {quilt.Release021, "--backend=quilt3", both + "QUILT_DEPLOYMENT=remote", false, "127.0.0.1:8000", ""},
		"0.21, multiuser means local":      {quilt.Release021, "", both + "QUILT_MULTIUSER_MODE=true", true, "", ""},
		"0.21, a typing error":             {quilt.Release021, "", both + "QUILT_DEPLOYMENT=remote FASTMCP_TRANSPORT=htp", true, "", ""},
		"0.21, the address beats the host": {quilt.Release021, "", both + "QUILT_DEPLOYMENT=remote FASTMCP_ADDR=127.0.0.1 FASTMCP_HOST=0.0.0.0 FASTMCP_PORT=9", true, "127.0.0.1:9", ""},
		"0.21 without the registry":        {quilt.Release021, "", "QUILT_CATALOG_URL=c QUILT_DEPLOYMENT=remote", true, "", "Invalid configuration: Platform backend requires QUILT_REGISTRY_URL environment variable"},
		"0.22 without the registry":        {quilt.Release022, "", "QUILT_CATALOG_URL=c QUILT_DEPLOYMENT=remote", true, "127.0.0.1:8000", ""},
		"0.21, an unknown deployment":      {quilt.Release021, "", both + "QUILT_DEPLOYMENT=cloud", false, "", "Invalid configuration: Invalid deployment mode 'cloud'. Expected one of: remote, local, legacy"},
		"an unknown release":               {"0.1", "", both, false, "", `unknown release "0.1": use 0.14, 0.21 or 0.22`},
	} {
		got, err := quilt.ReadConfig(c.release, strings.Fields(c.args), variables(strings.Fields(c.env)...))
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != c.err || err == nil && (got.Multiuser != c.multiuser || got.Addr != c.addr) {
			t.Errorf("%s: got %+v, %q", name, got, text)
		}
	}
}

// The servers' own last words are in the tests of package diagnosis.
func TestMessage(t *testing.T) {
	for file, c := range map[string]struct {
		release quilt.Release
		env     string
	}{
		"quilt-0.14":             {quilt.Release014, "QUILT_MULTIUSER_MODE=true MCP_JWT_SECRET=s"},
		"quilt-0.21-no-registry": {quilt.Release021, "QUILT_CATALOG_URL=c QUILT_DEPLOYMENT=remote"},
		"quilt-0.22-remote":      {quilt.Release022, "QUILT_DEPLOYMENT=remote"},
	} {
		want, err := os.ReadFile("../../../internal/diagnosis/testdata/lastwords/" + file + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		_, err = quilt.ReadConfig(c.release, nil, variables(strings.Fields(c.env)...))
		var invalid *quilt.ConfigError
		if !errors.As(err, &invalid) || lines(invalid.Message()) != lines(string(want)) {
			t.Errorf("%s: got\n%s\nwant\n%s", file, invalid.Message(), want)
		}
	}
}

// lines leaves out what differs from machine to machine.
func lines(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "- ") {
			kept = append(kept, strings.TrimSpace(line))
		}
	}
	return strings.TrimSpace(strings.Join(kept, "\n"))
}

func sign(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(claims))
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

func TestTokens(t *testing.T) {
	soon := time.Now().Add(time.Minute).Unix()
	for name, c := range map[string]struct {
		authorization     string
		status014, status int
	}{
		"none":             {"", 401, 401},
		"another scheme":   {"Basic x", 401, 401},
		"empty":            {"Bearer ", 401, 401},
		"malformed":        {"Bearer not-a-valid-jwt-token", 403, 200},
		"expired":          {"Bearer " + sign(`{"id":"u","uuid":"x","exp":1}`), 403, 200},
		"without exp":      {"Bearer " + sign(`{"id":"u","uuid":"x"}`), 403, 200},
		"too many claims":  {"Bearer " + sign(fmt.Sprintf(`{"id":"u","iat":1,"exp":%d}`, soon)), 403, 200},
		"of nobody":        {"Bearer " + sign(fmt.Sprintf(`{"exp":%d}`, soon)), 403, 200},
		"of another":       {"Bearer " + sign(fmt.Sprintf(`{"id":"u","exp":%d}`, soon)) + "A", 403, 200},
		"good":             {"Bearer " + sign(fmt.Sprintf(`{"id":"u","uuid":"x","exp":%d}`, soon)), 200, 200},
		"good, lower case": {"bearer " + sign(fmt.Sprintf(`{"id":7,"exp":%d}`, soon)), 200, 200},
	} {
		for release, want := range map[quilt.Release]int{quilt.Release014: c.status014, quilt.Release021: c.status, quilt.Release022: c.status} {
			if got, _ := ask(t, serve(t, release, whole...), http.MethodPost, "/mcp", c.authorization); got != want {
				t.Errorf("%s, %s: got %d, want %d", release, name, got, want)
			}
		}
	}
	contradicted := append([]string{"MCP_JWT_ISSUER=i"}, whole...)
	for _, claims := range []string{`{"id":"u","exp":%d}`, `{"id":"u","iss":"i","exp":%d}`} {
		if got, _ := ask(t, serve(t, quilt.Release014, contradicted...), http.MethodPost, "/mcp", "Bearer "+sign(fmt.Sprintf(claims, soon))); got != 403 {
			t.Errorf("with an issuer, %s: got %d", claims, got)
		}
	}
}

func TestSurface(t *testing.T) {
	const bearer = "Bearer x"
	for name, c := range map[string]struct {
		method, path, authorization string
		status                      int
		says                        string
	}{
		"health":               {http.MethodGet, "/healthz", "", 200, `"route":"/healthz"`},
		"the root":             {http.MethodGet, "/", "", 200, `"status":"ok"`},
		"a POST there":         {http.MethodPost, "/", "", 405, ""},
		"a preflight":          {http.MethodOptions, "/mcp", "", 401, "JWT authentication required"},
		"with a slash":         {http.MethodPost, "/mcp/", bearer, 307, ""},
		"another path":         {http.MethodGet, "/other", bearer, 404, ""},
		"another, with no one": {http.MethodGet, "/.well-known/oauth-protected-resource", "", 401, ""},
		"a session made up":    {http.MethodPost, "/mcp", bearer, 200, `"result"`},
	} {
		if got, body := ask(t, serve(t, quilt.Release021, whole...), c.method, c.path, c.authorization); got != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: got %d %s", name, got, body)
		}
	}
	fallback := append([]string{"QUILT_FALLBACK_JWT=x"}, whole...)
	for authorization, want := range map[string]int{"": 200, "Basic x": 401} {
		if got, _ := ask(t, serve(t, quilt.Release021, fallback...), http.MethodPost, "/mcp", authorization); got != want {
			t.Errorf("with an identity to fall back on, %q: got %d", authorization, got)
		}
	}
	off := serve(t, quilt.Release021, append([]string{"QUILT_DEPLOYMENT=legacy"}, whole...)...)
	if got, body := ask(t, off, http.MethodPost, "/mcp", ""); got != 404 || !strings.Contains(body, "Session not found") { // no word of a token
		t.Errorf("out of multiuser mode: got %d %s", got, body)
	}
}

func serve(t *testing.T, release quilt.Release, env ...string) *httptest.Server {
	t.Helper()
	config, err := quilt.ReadConfig(release, nil, variables(env...))
	if err != nil {
		t.Fatal(err)
	}
	server, err := quilt.New(config)
	if err != nil {
		t.Fatal(err)
	}
	running := httptest.NewServer(server)
	t.Cleanup(running.Close)
	return running
}

func ask(t *testing.T, server *httptest.Server, method, path, authorization string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Mcp-Session-Id", "made-up")
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}
