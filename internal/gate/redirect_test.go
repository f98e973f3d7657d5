package gate_test

import (
	"net/http"
	"strings"
	"testing"
)

// A server whose endpoint is not where spec.path says: whoever reads the log or the metrics learns the path.
func TestRedirectFromTheEndpointIsLogged(t *testing.T) {
	s := newSite(t, serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://"+r.Host+"/mcp/?from=here")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))
	for range 2 {
		client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		response, err := client.Do(s.request(http.MethodPost, "/mcp", s.token(), strings.NewReader(ping)))
		must(t, err)
		response.Body.Close()
		if location := response.Header.Get("Location"); response.StatusCode != http.StatusTemporaryRedirect || location != "/mcp/?from=here" {
			t.Errorf("got %d to %q", response.StatusCode, location)
		}
	}
	s.eventually("it is logged and counted", func() bool {
		return strings.Count(s.log.String(), `"redirectsTo":"/mcp/"`) == 1 &&
			strings.Contains(s.adminGet("/metrics").body, `upstream_failures_total{kind="upstream_redirect"} 2`)
	})
	if strings.Contains(s.log.String(), "from=here") {
		t.Error("the log has a query")
	}
}

func TestRedirectInCirclesIsAnswered(t *testing.T) {
	s := prepareSite(t, serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/mcp/" {
			http.Redirect(w, r, "/mcp/", http.StatusTemporaryRedirect)
		}
	}))
	s.config.Upstream.TrailingSlash = true
	s.writeConfig()
	s.start()
	for _, path := range []string{"/mcp", "/mcp/"} {
		got := s.do(s.request(http.MethodPost, path, s.token(), strings.NewReader(ping)))
		if got.status != http.StatusBadGateway || got.Error.Data.Reason != "upstream_redirect" || string(got.ID) != "7" {
			t.Errorf("%s: got %d %s", path, got.status, got.body)
		}
	}
	s.eventually("it is logged", func() bool { return strings.Contains(s.log.String(), `"redirectsTo":"/mcp/"`) })
}
