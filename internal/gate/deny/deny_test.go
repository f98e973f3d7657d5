package deny_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/body"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

func all() []*deny.Denial {
	denials := []*deny.Denial{
		deny.TokenLivesTooLong(), deny.TwoTokens(), deny.AmbiguousHeader("more than one X header"), deny.BadTarget("no"), deny.WrongOrigin(),
		deny.WrongHost(), deny.UnknownPath(), deny.UnknownMethod("GET"), deny.Body(gateapi.ReasonBodyTooLarge), deny.Body(gateapi.ReasonBodyTimeout),
		deny.Body(gateapi.ReasonBadBody), deny.KeysUnavailable(), deny.Internal(), deny.InsufficientScope([]string{"a", "b:c"}), deny.Forbidden(),
		deny.BadMessage("the body is no JSON"), deny.HeaderMismatch("Mcp-Name"), deny.UnsupportedMedia(), deny.UnknownSession(), deny.TooManyFailures(), deny.TooManyStreams(),
		deny.SecretUnavailable(), deny.RevocationsUnavailable(),
	}
	for _, reason := range []gateapi.Reason{
		gateapi.ReasonUpstreamRefused, gateapi.ReasonUpstreamUnreachable, gateapi.ReasonUpstreamReset, gateapi.ReasonUpstreamClosed, gateapi.ReasonUpstreamNotHTTP,
		gateapi.ReasonUpstreamUpgrade, gateapi.ReasonUpstreamSession, gateapi.ReasonUpstreamRedirect, gateapi.ReasonUpstreamTimeout,
	} {
		denials = append(denials, deny.Upstream(reason))
	}
	for _, reason := range gateapi.TokenReasons() {
		if reason != gateapi.ReasonInsufficientScope {
			denials = append(denials, deny.Token(reason))
		}
	}
	return denials
}

func answer(denial *deny.Denial, text string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(text))
	denial.Answer(w, body.Of(w, r, 1<<20), deny.Site{Realm: `tools/weather"\` + "\n"})
	return w
}

var (
	// The characters of error_description (RFC 6750 section 3), and one parameter of a challenge.
	plain     = regexp.MustCompile(`^[\x20\x21\x23-\x5B\x5D-\x7E]+$`)
	parameter = regexp.MustCompile(`(\w+)="([^"]*)"`)
	challenge = regexp.MustCompile(`^Bearer \w+="[\x20\x21\x23-\x5B\x5D-\x7E]*"(, \w+="[\x20\x21\x23-\x5B\x5D-\x7E]*")*$`)
)

func TestEveryDenialIsWellFormed(t *testing.T) {
	for _, denial := range all() {
		name := string(denial.Reason)
		if !plain.MatchString(denial.Message) || strings.Contains(denial.Message, "=") {
			t.Errorf("%s: message %q", name, denial.Message)
		}
		w := answer(denial, `{"id":"a","jsonrpc":"2.0"}`)
		var got struct {
			JSONRPC, ID string
			Error       struct {
				Code    int
				Message string
				Data    struct {
					Error, Reason string
					Status        int
				}
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v: %s", name, err, w.Body)
		}
		code := -31000 - denial.Status
		if denial.Reason == gateapi.ReasonHeaderMismatch {
			code = -32020 // MCP's own
		}
		if got.JSONRPC != "2.0" || got.ID != "a" || got.Error.Code != code || !strings.HasSuffix(got.Error.Message, denial.Message) ||
			got.Error.Data.Reason != name || got.Error.Data.Status != denial.Status || w.Code != denial.Status {
			t.Errorf("%s: %s", name, w.Body)
		}
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Gatehouse-Reason") != name {
			t.Errorf("%s: %v", name, w.Header())
		}
		checkChallenge(t, denial, w.Header().Values("WWW-Authenticate"), got.Error.Data.Error)
		if (denial.Status == 503 || denial.Status == 429) != (w.Header().Get("Retry-After") != "") {
			t.Errorf("%s: Retry-After %q", name, w.Header().Get("Retry-After"))
		}
	}
}

func checkChallenge(t *testing.T, denial *deny.Denial, challenges []string, code string) {
	t.Helper()
	want := []string{"realm", "error", "error_description"}
	switch {
	case denial.Reason == gateapi.ReasonMissingToken:
		want = []string{"realm"}
	case denial.Reason == gateapi.ReasonInsufficientScope:
		want = []string{"realm", "error", "scope", "error_description"}
	case denial.Status != 401 && code == "":
		if len(challenges) != 0 {
			t.Errorf("%s: challenges %q", denial.Reason, challenges)
		}
		return
	}
	if len(challenges) != 1 || !challenge.MatchString(challenges[0]) || !strings.HasPrefix(challenges[0], `Bearer realm="tools/weather"`) {
		t.Fatalf("%s: challenges %q", denial.Reason, challenges)
	}
	var names []string
	for _, match := range parameter.FindAllStringSubmatch(challenges[0], -1) {
		names = append(names, match[1])
	}
	if !slices.Equal(names, want) {
		t.Errorf("%s: parameters %q in %q", denial.Reason, names, challenges[0])
	}
}

func TestRequestIDIsEchoed(t *testing.T) {
	long := strings.Repeat("x", 127)
	for text, want := range map[string]string{
		`{"id":7}`:                                                `7`,
		`{"jsonrpc":"2.0","id":"a\"b"}`:                           `"a\"b"`,
		`{"params":{"id":1},"id":-2.5e3}`:                         `-2.5e3`,
		`{"id":7,"params":` + strings.Repeat("[", 70<<10):         `7`,
		`{"params":"` + strings.Repeat("x", 70<<10) + `","id":7}`: `null`,
		`{"ID":7}`:              `null`,
		`{"id":null}`:           `null`,
		`{"id":true}`:           `null`,
		`{"id":[1]}`:            `null`,
		`{"id":{"id":1}}`:       `null`,
		`[{"id":7}]`:            `null`,
		`{"id":"` + long + `"}`: `null`,
		"{\"id\":\"\xff\"}":     `null`,
		`{"id":`:                `null`,
		`{"id"`:                 `null`,
		`{"method":"x"}`:        `null`,
		`"id"`:                  `null`,
		``:                      `null`,
		`not json`:              `null`,
	} {
		var got struct{ ID json.RawMessage }
		if err := json.Unmarshal(answer(deny.Token(gateapi.ReasonExpired), text).Body.Bytes(), &got); err != nil || string(got.ID) != want {
			t.Errorf("%.40q: got %s, %v; want %s", text, got.ID, err, want)
		}
	}
}

// brokenReader fails before anything has come.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestUnreadableBodyIsAnswered(t *testing.T) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/mcp", io.NopCloser(brokenReader{}))
	deny.Token(gateapi.ReasonExpired).Answer(w, body.Of(w, r, 1), deny.Site{Realm: "x"})
	if w.Code != 401 || !strings.Contains(w.Body.String(), `"id":null`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestChallengeTellsOfTheServer(t *testing.T) {
	site := deny.Site{Realm: "r", Metadata: "https://m.example/.well-known/x", Scope: "read"}
	for want, denial := range map[string]*deny.Denial{
		`Bearer realm="r", scope="read", resource_metadata="https://m.example/.well-known/x"`: deny.Token(gateapi.ReasonMissingToken),
		`Bearer realm="r", error="insufficient_scope", scope="read b", resource_metadata="https://m.example/.well-known/x", ` +
			`error_description="` + deny.InsufficientScope(nil).Message + `"`: deny.InsufficientScope([]string{"read", "b"}),
	} {
		if got := denial.Challenge(site); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestPageHasEveryStatus: docs/gate.md says which status comes with a reason.
func TestPageHasEveryStatus(t *testing.T) {
	page, err := os.ReadFile("../../../docs/gate.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, denial := range all() {
		if row := fmt.Sprintf("\n| `%s` | %d | ", denial.Reason, denial.Status); !strings.Contains(string(page), row) {
			t.Errorf("there is no row that begins with %q", row)
		}
	}
}
