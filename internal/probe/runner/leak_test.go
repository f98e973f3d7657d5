package runner_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// TestInformationLeak: a refusal must not show the inside of the program that refuses, nor what it was sent.
func TestInformationLeak(t *testing.T) {
	saying := func(text string) http.HandlerFunc {
		return refuse("bad_signature", func(a *refusal) { a.message = "Unauthorized: the token will not do: " + text })
	}
	echoing := func(w http.ResponseWriter, r *http.Request) {
		bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		saying(bearer[len(bearer)-30:])(w, r)
	}
	inHeader := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Debug", r.Header.Get("Authorization"))
		saying("no")(w, r)
	}
	for name, test := range map[string]struct {
		answer  http.HandlerFunc
		outcome probe.Outcome
	}{
		"nothing":          {saying("see https://example.com/docs/auth.py and C: /var/lib"), probe.Passed},
		"Python":           {saying("Traceback (most recent call last): ..."), probe.InformationLeak},
		"Python, a frame":  {saying(`File "/app/auth.py", line 42, in verify`), probe.InformationLeak},
		"Go":               {saying("goroutine 7 [running]:"), probe.InformationLeak},
		"Go, a file":       {saying("at /src/gate/main.go:123"), probe.InformationLeak},
		"Node":             {saying("boom\n    at verify (/app/index.js:10:5)"), probe.InformationLeak},
		"Java":             {saying("boom\n\tat com.example.Auth.verify(Auth.java:42)"), probe.InformationLeak},
		"end of the token": {echoing, probe.InformationLeak},
		"in a header":      {inHeader, probe.InformationLeak},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			model, _, url := gate(t, mcpfake.Options{}, map[probe.Case]http.HandlerFunc{probe.WrongKey: test.answer})
			for _, exact := range []bool{true, false} {
				target := model.target(url)
				target.Exact, target.Tier = exact, probe.Quick
				report := run(t, runner.Options{}, target)
				got := firstResult(t, report, probe.WrongKey)
				if got.Outcome != test.outcome {
					t.Errorf("exact %t: %+v", exact, got)
				}
				if kind := verdicts.Of(report).Kind; (kind == probe.Locked) != (test.outcome == probe.Passed) {
					t.Errorf("exact %t: %s", exact, kind)
				}
			}
		})
	}
}

// TestReplayCannotBeRead: neither printed nor encoded, alone or in its report.
func TestReplayCannotBeRead(t *testing.T) {
	model, _, url := gate(t, mcpfake.Options{}, nil)
	report := run(t, runner.Options{}, model.target(url))
	encoded, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := json.Marshal(report.Replay)
	if err != nil {
		t.Fatal(err)
	}
	var tokens []string
	for _, request := range model.seen {
		tokens = append(tokens, strings.TrimPrefix(request.header.Get("Authorization"), "Bearer "))
	}
	text := string(encoded) + string(alone) + fmt.Sprintf("%v %+v %#v %s %+v", report, report, report.Replay, report.Replay, []probe.Replay{report.Replay})
	refuseLeak(t, text, tokens)
	if report.Replay.Ripe().IsZero() {
		t.Error("nothing was kept")
	}
}

// TestTLS: a certificate that is named is trusted, or what the roots trust, and nothing else.
func TestTLS(t *testing.T) {
	model, _, _ := gate(t, mcpfake.Options{}, nil)
	server := httptest.NewUnstartedServer(model)
	server.EnableHTTP2 = true // as a gate does
	server.StartTLS()
	defer server.Close()
	digest := sha256.Sum256(server.Certificate().Raw)
	pin, other := hex.EncodeToString(digest[:]), strings.Repeat("0", 64)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	for name, test := range map[string]struct {
		pins  []string
		roots *x509.CertPool
		want  probe.Outcome
	}{
		"pinned":                     {[]string{pin}, nil, probe.Passed},
		"pinned, in capitals":        {[]string{strings.ToUpper(pin)}, nil, probe.Passed},
		"one of two pins":            {[]string{other, pin}, nil, probe.Passed},
		"another pin":                {[]string{other}, nil, probe.TLS},
		"another pin, trusted roots": {[]string{other}, roots, probe.TLS},
		"roots":                      {nil, roots, probe.Passed},
		"nobody's":                   {nil, nil, probe.TLS},
	} {
		target := model.target(server.URL + "/mcp")
		target.CertificateSHA256, target.RootCAs = test.pins, test.roots
		report := run(t, runner.Options{}, target)
		if got := firstResult(t, report, probe.Valid); got.Outcome != test.want {
			t.Errorf("%s: %+v", name, got)
		}
		if kind := verdicts.Of(report).Kind; (kind == probe.Locked) != (test.want == probe.Passed) {
			t.Errorf("%s: %+v", name, verdicts.Of(report))
		}
	}
	for _, target := range []probe.Target{
		{URL: "http://127.0.0.1:1/mcp", CertificateSHA256: []string{pin}}, {URL: server.URL, CertificateSHA256: []string{pin, "abc"}},
	} {
		target.Timeout, target.Providers = patience, model.target("").Providers
		if _, err := runner.New(runner.Options{}).Run(t.Context(), target); err == nil {
			t.Errorf("%s with the pins %q was tried", target.URL, target.CertificateSHA256)
		}
	}
}
