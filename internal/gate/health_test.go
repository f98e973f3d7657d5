package gate_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// monitoredSite has health paths beside an extra path.
func monitoredSite(t *testing.T, handler http.HandlerFunc) *site {
	t.Helper()
	s := prepareSite(t, serveHTTP(t, handler))
	s.config.AllowedOrigins = []string{page}
	s.config.Upstream.TrailingSlash = true
	s.config.Upstream.ExtraPaths = []string{"/files"}
	s.config.HealthPaths = []string{"/", "/healthz"}
	s.writeConfig()
	s.start()
	return s
}

func TestHealthPathsAreTheGates(t *testing.T) {
	const ok = `{"status":"ok"}` + "\n"
	s := monitoredSite(t, func(http.ResponseWriter, *http.Request) { t.Error("the server was asked") })
	for name, c := range map[string]struct {
		line, header string
		status       int
		reason, body string
	}{
		"as it is":             {"GET /healthz", "", 200, "", ok},
		"the root":             {"GET /", "", 200, "", ok},
		"HEAD":                 {"HEAD /healthz", "", 200, "", ""},
		"with a query":         {"GET /healthz?full=1", "", 200, "", ok},
		"with a bad token":     {"GET /healthz", "Authorization: Bearer x\r\n", 200, "", ok},
		"POST":                 {"POST /healthz", "", 401, "missing_token", ""},
		"DELETE":               {"DELETE /", "", 401, "missing_token", ""},
		"one slash more":       {"GET /healthz/", "", 401, "missing_token", ""},
		"bent":                 {"GET /x/../healthz", "", 400, "bad_target", ""},
		"escaped":              {"GET /%68ealthz", "", 401, "missing_token", ""},
		"of a foreign page":    {"GET /healthz", "Origin: https://evil.example\r\n", 403, "wrong_origin", ""},
		"of a foreign host":    {"GET http://evil.example/healthz", "", 400, "bad_target", ""},
		"the endpoint":         {"GET /mcp", "", 401, "missing_token", ""},
		"an extra path":        {"GET /files", "", 401, "missing_token", ""},
		"another path":         {"GET /health", "", 401, "missing_token", ""},
		"of a page that calls": {"OPTIONS /healthz", "Origin: " + page + "\r\nAccess-Control-Request-Method: GET\r\n", 204, "", ""},
	} {
		got := s.rawAsked(strings.Fields(c.line)[0], c.line+" HTTP/1.1\r\nHost: localhost\r\n"+c.header+"\r\n")
		if got.status != c.status || got.header.Get("Gatehouse-Reason") != c.reason || c.reason == "" && got.body != c.body {
			t.Errorf("%s: got %d %v %s", name, got.status, got.header, got.body)
		}
		if c.status == 200 && (got.header.Get("Cache-Control") != "no-store" || got.header.Get("Content-Type") != "application/json") {
			t.Errorf("%s: header %v", name, got.header)
		}
	}
}

// A load balancer takes a pod out that cannot serve, or is about to end.
func TestHealthFollowsTheGate(t *testing.T) {
	s := prepareSite(t, serveHTTP(t, echo))
	s.config.HealthPaths = []string{"/healthz"}
	s.writeConfig()
	must(t, os.Remove(filepath.Join(s.dirs.keys, gateapi.KeysFile("managed"))))
	s.startUnready()
	says := func(want int) func() bool {
		return func() bool { return s.do(s.request(http.MethodGet, "/healthz", "", nil)).status == want }
	}
	if got := s.do(s.request(http.MethodGet, "/healthz", "", nil)); got.status != 503 || got.body != `{"status":"unavailable"}`+"\n" {
		t.Errorf("without keys: got %d %s", got.status, got.body)
	}
	s.writeKeys(s.template.Key.Public())
	s.eventually("it is ready", says(200))
	s.gate.Terminate()
	s.eventually("its pod ends", says(503))
}

// The validation of the configuration refuses such paths; the gate does not rely on it.
func TestNoHealthPathIsTheServers(t *testing.T) {
	for _, path := range []string{"/mcp", "/mcp/", "/files", gateapi.WellKnownPrefix, "relative", "/a/../b"} {
		s := prepareSite(t, serveHTTP(t, echo))
		s.config.Upstream.ExtraPaths = []string{"/files"}
		s.config.HealthPaths = []string{path}
		data, err := json.Marshal(s.config)
		must(t, err)
		if _, err := gateapi.ParseConfig(data); err == nil || !strings.Contains(err.Error(), "healthPaths[0]") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
