package runner_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
)

// TestNoTokenLeavesInAReport: servers that say back what they were sent, wherever a report takes text from, do not get
// a token into it.
func TestNoTokenLeavesInAReport(t *testing.T) {
	servers := map[string]func(w http.ResponseWriter, token, id string){
		"in headers": func(w http.ResponseWriter, token, _ string) {
			for _, name := range []string{"Content-Type", "Gatehouse-Reason", "Www-Authenticate", "Date", "Location", "Retry-After"} {
				w.Header()[textproto.CanonicalMIMEHeaderKey(name)] = []string{"text/" + token}
			}
			w.WriteHeader(http.StatusUnauthorized)
		},
		"in the session": func(w http.ResponseWriter, token, id string) {
			w.Header().Set("Mcp-Session-Id", token)
			_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":1,"message":%q}}`, id, "x "+token)
		},
		"in an error": func(w http.ResponseWriter, token, id string) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusTeapot)
			_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":1,"message":%q,"data":{"reason":%q}}}`, id, "bad token "+token, token)
		},
		"in an error, hidden": func(w http.ResponseWriter, token, id string) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":1,"message":%q}}`, id, strings.Join(strings.Split(token, ""), "\u200b"))
		},
		"in the server's name": func(w http.ResponseWriter, token, id string) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":%q,"serverInfo":{"name":%q,"version":%q},"capabilities":{}}}`,
				id, lastBytes(token, 30), token, "v"+token)
		},
		"as bytes": func(w http.ResponseWriter, token, _ string) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = io.WriteString(conn, token)
			_ = conn.Close()
		},
		"in the status line": func(w http.ResponseWriter, token, _ string) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = io.WriteString(conn, "HTTP/1.1 403 "+token+"\r\nContent-Length: 0\r\n\r\n")
			_ = conn.Close()
		},
	}
	for name, answer := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var tokens []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				id := rpcID(r)
				token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
				if strings.Count(token, ".") == 2 {
					mu.Lock()
					tokens = append(tokens, token)
					mu.Unlock()
				}
				answer(w, token, id)
			}))
			defer server.Close()
			for _, exact := range []bool{true, false} {
				report := run(t, runner.Options{}, probe.Target{URL: server.URL, Providers: []probe.Provider{{Tokens: template(t)}}, Exact: exact, Timeout: patience})
				written, err := json.Marshal(struct {
					Report  probe.Report
					Verdict probe.Verdict
				}{report, verdicts.Of(report)})
				if err != nil {
					t.Fatal(err)
				}
				refuseLeak(t, string(written), tokens)
			}
			if len(tokens) < 6 {
				t.Errorf("only %d tokens were sent", len(tokens))
			}
		})
	}
}

// refuseLeak fails when 12 characters in a row of any token stand in the text.
func refuseLeak(t *testing.T, text string, tokens []string) {
	t.Helper()
	for _, token := range tokens {
		for i := 0; i+12 <= len(token); i++ {
			if strings.Contains(text, token[i:i+12]) {
				t.Fatalf("%q of a token stands in %s", token[i:i+12], text)
			}
		}
	}
}

func lastBytes(text string, n int) string { return text[max(0, len(text)-n):] }

// TestErrorsDoNotQuoteTheURL: what is wrong with it may be a secret.
func TestErrorsDoNotQuoteTheURL(t *testing.T) {
	for _, url := range []string{
		"http://user:hunter2@127.0.0.1/mcp", "http://127.0.0.1/mcp?token=hunter2", "http://127.0.0.1/mcp#hunter2",
		"ftp://hunter2/mcp", "http://127.0.0.1:hunter2/", "hunter2", "",
	} {
		_, err := runner.New(runner.Options{}).Run(t.Context(), probe.Target{URL: url, Providers: []probe.Provider{{Tokens: template(t)}}, Timeout: patience})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", url, err)
		}
	}
	target := probe.Target{URL: "http://127.0.0.1:1/mcp", Providers: []probe.Provider{{Tokens: template(t)}}}
	if _, err := runner.New(runner.Options{}).Run(t.Context(), target); err == nil {
		t.Error("a target without a time limit was tried")
	}
}
