package runner_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// What a round sends beside its tokens has no word of whose it is, and no name or bearer that stands in every round.
func TestNothingOnTheWireTellsAProbe(t *testing.T) {
	var common []string
	const rounds = 6
	for seed := range uint64(rounds) {
		words := map[string]bool{}
		var mu sync.Mutex
		model, _, url := gate(t, mcpfake.Options{}, nil)
		recorder := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			mu.Lock()
			defer mu.Unlock()
			words[toldBy(t, r, body)] = true
			model.ServeHTTP(w, r)
		}))
		t.Cleanup(recorder.Close)
		target := model.target(url)
		target.URL, target.Seed = recorder.URL+"/mcp", seed+1
		target.Policy.Forbidden, target.Policy.RuleCases, target.Policy.Allowed = nil, nil, nil
		run(t, runner.Options{}, target)
		delete(words, "")
		if seed == 0 {
			for word := range words {
				common = append(common, word)
			}
		}
		common = slices.DeleteFunc(common, func(word string) bool { return !words[word] })
	}
	if len(common) > 0 {
		t.Errorf("in every round: %q", common)
	}
}

// toldBy is what a request says that is neither a token nor of the protocol: what it calls, or a bearer that is no JWT.
func toldBy(t *testing.T, r *http.Request, body []byte) string {
	t.Helper()
	bearer := r.Header.Get("Authorization")
	dumped := r.Clone(t.Context())
	dumped.Header.Del("Authorization")
	dumped.URL.RawQuery, dumped.RequestURI = "", r.URL.Path
	head, err := httputil.DumpRequest(dumped, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(head), string(body)} {
		if text = strings.ToLower(text); strings.Contains(text, "gatehouse") || strings.Contains(text, "probe") {
			t.Errorf("a request names the prober: %s", text)
		}
	}
	var message struct {
		Params struct{ Name string }
	}
	if json.Unmarshal(body, &message) == nil && message.Params.Name != "" {
		return message.Params.Name
	}
	if strings.Count(bearer, ".") == 2 || len(strings.Fields(bearer)) < 2 {
		return ""
	}
	return bearer
}

func TestAbsentNames(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(1000) {
		name := probe.AbsentName(seed)
		if name != probe.AbsentName(seed) {
			t.Errorf("seed %d gives two names", seed)
		}
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_0123456789") != "" || len(name) > 64 {
			t.Errorf("%s is no name that clients use", name)
		}
		seen[name] = true
	}
	if len(seen) < 999 {
		t.Errorf("%d names for 1000 seeds", len(seen))
	}
}
