package gate_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// echo answers what it got.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Seen", r.Method+" "+r.URL.String())
	_, _ = w.Write(body)
}

func TestWhoEnters(t *testing.T) {
	s := newSite(t, serveHTTP(t, echo))
	bad := func(defect token.Defect) string {
		raw, err := s.template.Bad(defect, time.Now())
		must(t, err)
		return raw
	}
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
		for name, c := range map[string]struct {
			bearer    string
			status    int
			challenge string
			reason    string
		}{
			"none":      {"", 401, `Bearer realm="tools/weather"`, "missing_token"},
			"malformed": {token.Malformed, 401, `error="invalid_token"`, "malformed_token"},
			"expired":   {bad(token.Expired), 401, `error="invalid_token"`, "expired"},
			"wrong key": {bad(token.WrongKey), 401, `error="invalid_token"`, "bad_signature"},
			"good":      {s.token(), 200, "", ""},
		} {
			got := s.do(s.request(method, "/mcp", c.bearer, strings.NewReader(ping)))
			if got.status != c.status || got.Error.Data.Reason != c.reason || got.header.Get("Gatehouse-Reason") != c.reason {
				t.Errorf("%s, %s: got %d %s", method, name, got.status, got.body)
			}
			if challenge := got.header.Get("WWW-Authenticate"); !strings.Contains(challenge, c.challenge) || (c.challenge == "") != (challenge == "") {
				t.Errorf("%s, %s: challenge %q", method, name, challenge)
			}
			if c.status == 200 && (got.body != ping || got.header.Get("X-Seen") != method+" /mcp") {
				t.Errorf("%s: the server saw %q %q", method, got.header.Get("X-Seen"), got.body)
			}
			if c.status == 401 && string(got.ID) != "7" {
				t.Errorf("%s, %s: id %s was not echoed", method, name, got.ID)
			}
		}
	}
}

// explosive is a body that cannot be read without harm, once.
type explosive struct{ gone bool }

func (e *explosive) Read([]byte) (int, error) {
	if !e.gone {
		e.gone = true
		panic("a bug")
	}
	return 0, io.EOF
}

// A bug of ours must not become a dropped connection either.
func TestPanicBecomesAnAnswer(t *testing.T) {
	s := newSite(t, serveHTTP(t, echo))
	w := httptest.NewRecorder()
	s.gate.ClientHandler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "http://localhost/mcp", &explosive{}))
	if w.Code != 500 || !strings.Contains(w.Body.String(), `"reason":"internal"`) || strings.Contains(w.Body.String(), "a bug") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if log := s.log.String(); !strings.Contains(log, "panic while serving") || !strings.Contains(log, "explosive") {
		t.Error("the log does not tell where it happened")
	}
}
