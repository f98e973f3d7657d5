package bareserver_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream/bareserver"
)

const result = `{"jsonrpc":"2.0","id":1,"result":{}}`

// to answers requests without a token in one way, and those with one in another.
func to(none, bad http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch r.Header.Get("Authorization") {
		case "":
			none(w, r)
		case "Bearer not-a-valid-jwt-token":
			bad(w, r)
		default:
			http.Error(w, "neither", http.StatusTeapot)
		}
	})
}

func says(status int, media, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

func closed(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	conn.Close()
}

func TestAsk(t *testing.T) {
	no, in := says(401, "text/plain", "no"), says(200, "application/json", result)
	broken := says(500, "text/plain", "oh")
	stream := func(w http.ResponseWriter, r *http.Request) {
		says(200, "text/event-stream", ": hello\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n\ndata:"+result+"\n\n")(w, r)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // Many never end.
	}
	for name, c := range map[string]struct {
		none, bad http.HandlerFunc
		want      bareserver.Result
	}{
		"401 to both":                  {no, no, bareserver.Refuses},
		"403 and 401":                  {says(403, "", ""), no, bareserver.Refuses},
		"a JSON-RPC error with 200":    {says(200, "application/json", `{"error":{"code":-32001}}`), no, bareserver.Refuses},
		"a complaint about JSON-RPC":   {says(200, "application/json", `{"error":{"code":-32602}}`), no, bareserver.Unclear},
		"in":                           {in, no, bareserver.Open},
		"in, as a stream":              {stream, no, bareserver.Open},
		"in with any token":            {no, in, bareserver.AnyBearer},
		"in with any token, a stream":  {no, stream, bareserver.AnyBearer},
		"reset":                        {reset, no, bareserver.Resets},
		"reset for a malformed token":  {no, reset, bareserver.Resets},
		"closed":                       {closed, no, bareserver.Resets},
		"500":                          {broken, no, bareserver.Unclear},
		"500 for a malformed token":    {no, broken, bareserver.Unclear},
		"500, but in with any token":   {broken, in, bareserver.AnyBearer},
		"redirects":                    {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }, no, bareserver.Unclear},
		"200 without JSON":             {says(200, "text/html", "<p>log in</p>"), no, bareserver.Unclear},
		"200 with a result of nothing": {says(200, "application/json", `{"result":null}`), no, bareserver.Unclear},
		"202 without a body":           {says(202, "", ""), no, bareserver.Unclear},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(to(c.none, c.bad))
			defer server.Close()
			if got, _ := bareserver.Ask(t.Context(), server.URL+"/mcp"); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// A server that refuses the first connection was not asked anything: whatever ended it, the question did not.
func TestNobodyThere(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	if got, _ := bareserver.Ask(t.Context(), server.URL); got != bareserver.Unclear {
		t.Errorf("got %s", got)
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	never := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	answerAfter := func(d time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(d):
				w.WriteHeader(http.StatusUnauthorized)
			}
		}
	}
	const patience = 200 * time.Millisecond
	for name, c := range map[string]struct {
		question, others http.HandlerFunc
		want             bareserver.Result
	}{
		"to the question only": {never, says(404, "", ""), bareserver.Hangs},
		"to everything":        {never, never, bareserver.Unclear},
		"and a late answer":    {answerAfter(patience * 3 / 2), says(404, "", ""), bareserver.Refuses},
		"after the head": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			never(w, r)
		}, says(404, "", ""), bareserver.Unclear},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.Method == http.MethodPost {
					c.question(w, r)
					return
				}
				c.others(w, r)
			}))
			defer server.Close()
			if got := bareserver.AskWithin(t.Context(), server.URL+"/mcp", patience); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// What it opened it closes, and it sends nothing but what it says it does.
func TestSessionsAreEnded(t *testing.T) {
	seen := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen <- strings.Join([]string{r.Method, r.Header.Get("Authorization"), r.Header.Get("Mcp-Session-Id"), string(body[:min(len(body), 46)])}, " ")
		if r.Header.Get("Authorization") == "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Mcp-Session-Id", "s1")
		_, _ = io.WriteString(w, result)
	}))
	defer server.Close()
	if got, _ := bareserver.Ask(t.Context(), server.URL); got != bareserver.AnyBearer {
		t.Errorf("got %s", got)
	}
	for _, want := range []string{
		`POST   {"jsonrpc":"2.0","id":1,"method":"initialize",`, `POST Bearer not-a-valid-jwt-token  {"jsonrpc":"2.0","id":1,"method":"initialize",`,
		"DELETE Bearer not-a-valid-jwt-token s1 ",
	} {
		if got := <-seen; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if len(seen) > 0 {
		t.Errorf("and %q", <-seen)
	}
}
