package admin_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
)

const pod = "6d9f5c0e-0000-4000-8000-000000000001"

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newKey(t *testing.T, secret string) admin.Key {
	t.Helper()
	key, err := admin.NewKey([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

const (
	ours   = "0123456789abcdef0123456789abcdef"
	theirs = "fedcba9876543210fedcba9876543210"
)

func newHandler(key admin.Key, uid string) http.Handler {
	return admin.StateHandler(admin.StateSource{
		Keys: func() []admin.Key { return []admin.Key{key} }, PodUID: uid,
		State: func() admin.State { return admin.State{PodUID: uid, SelfTest: "passed", Time: now} },
		Now:   func() time.Time { return now },
	})
}

func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func TestState(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	genuine := newHandler(newKey(t, ours), pod)
	// altered answers as the gate does, with one thing changed on the way.
	altered := func(change func(r *http.Request, got *httptest.ResponseRecorder)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got := httptest.NewRecorder()
			genuine.ServeHTTP(got, r)
			change(r, got)
			w.Header().Set(admin.ProofHeader, got.Header().Get(admin.ProofHeader))
			w.WriteHeader(got.Code)
			_, _ = w.Write(got.Body.Bytes())
		})
	}
	var replayed *httptest.ResponseRecorder
	for name, c := range map[string]struct {
		url  string
		key  string
		pod  string
		at   time.Time
		want error
	}{
		"the gate":            {serve(t, genuine), ours, pod, now, nil},
		"clock 9 min ahead":   {serve(t, genuine), ours, pod, now.Add(9 * time.Minute), nil},
		"clock 9 min behind":  {serve(t, genuine), ours, pod, now.Add(-9 * time.Minute), nil},
		"proof from tomorrow": {serve(t, genuine), ours, pod, now.Add(24 * time.Hour), admin.ErrNotOurPod},
		"proof of yesterday":  {serve(t, genuine), ours, pod, now.Add(-24 * time.Hour), admin.ErrNotOurPod},
		"another pod":         {serve(t, genuine), ours, "other", now, admin.ErrNotOurPod},
		"another secret":      {serve(t, genuine), theirs, pod, now, admin.ErrNotOurPod},
		"gate without pod":    {serve(t, newHandler(newKey(t, ours), "")), ours, "", now, admin.ErrNotOurPod},
		"body changed": {serve(t, altered(func(_ *http.Request, got *httptest.ResponseRecorder) {
			text := strings.Replace(got.Body.String(), "passed", "failed", 1)
			got.Body.Reset()
			got.Body.WriteString(text)
		})), ours, pod, now, admin.ErrNotAuthentic},
		"no MAC": {serve(t, altered(func(_ *http.Request, got *httptest.ResponseRecorder) {
			got.Header().Del(admin.ProofHeader)
		})), ours, pod, now, admin.ErrNotAuthentic},
		"the request's MAC": {serve(t, altered(func(r *http.Request, got *httptest.ResponseRecorder) {
			got.Header().Set(admin.ProofHeader, r.Header.Get(admin.ProofHeader)[strings.LastIndex(r.Header.Get(admin.ProofHeader), ".")+1:])
		})), ours, pod, now, admin.ErrNotAuthentic},
		"forger without the secret": {serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"podUID":"` + pod + `","selfTest":"passed"}`))
		})), ours, pod, now, admin.ErrNotAuthentic},
		"endless answer": {serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write(make([]byte, 64<<10))
			}
		})), ours, pod, now, admin.ErrNotAuthentic},
		"redirect":    {serve(t, http.RedirectHandler(serve(t, genuine)+"/state", http.StatusFound)), ours, pod, now, admin.ErrNotAuthentic},
		"error 500":   {serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })), ours, pod, now, admin.ErrNotAuthentic},
		"closed port": {gone.URL, ours, pod, now, admin.ErrUnreachable},
	} {
		client := admin.Client{Key: newKey(t, c.key), Now: func() time.Time { return c.at }}
		state, err := client.State(t.Context(), c.url, c.pod)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if (err == nil) != (state.SelfTest == "passed") {
			t.Errorf("%s: error %v with state %+v", name, err, state)
		}
	}

	// An answer is good for one request only.
	url := serve(t, altered(func(_ *http.Request, got *httptest.ResponseRecorder) {
		if replayed == nil {
			replayed = got
		}
		*got = *replayed
	}))
	client := admin.Client{Key: newKey(t, ours), Now: func() time.Time { return now }}
	if _, err := client.State(t.Context(), url, pod); err != nil {
		t.Fatal(err)
	}
	if _, err := client.State(t.Context(), url, pod); !errors.Is(err, admin.ErrNotAuthentic) {
		t.Errorf("replayed: %v", err)
	}

	// While the secret turns over, the gate may have yet to load the one that the operator has, or the other way round.
	for _, c := range []struct {
		key, former string
		want        error
	}{{theirs, ours, nil}, {ours, theirs, nil}, {theirs, theirs, admin.ErrNotOurPod}} {
		client := admin.Client{Key: newKey(t, c.key), Former: newKey(t, c.former), Now: func() time.Time { return now }}
		if _, err := client.State(t.Context(), serve(t, genuine), pod); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("former %v: %v, want %v", c.former == ours, err, c.want)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.State(ctx, url, pod); !errors.Is(err, admin.ErrUnreachable) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestStateIsHiddenFromEverybodyElse(t *testing.T) {
	unknown := httptest.NewRecorder()
	http.NotFound(unknown, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	for _, proof := range []string{"", "x", "1.2.3.4", "1..AAAAAAAAAAAAAAAAAAAAAA.", "2.1795435200.AAAAAAAAAAAAAAAAAAAAAA.x"} {
		for name, key := range map[string]admin.Key{"with a secret": newKey(t, ours), "without": {}} {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/state", http.NoBody)
			r.Header.Set(admin.ProofHeader, proof)
			newHandler(key, pod).ServeHTTP(w, r)
			if w.Code != http.StatusNotFound || w.Body.String() != unknown.Body.String() {
				t.Errorf("%s, proof %q: %d %s", name, proof, w.Code, w.Body)
			}
		}
	}
}

func TestKeyNeedsAWholeSecret(t *testing.T) {
	for _, secret := range []string{"", "short", ours + "x"} {
		if _, err := admin.NewKey([]byte(secret)); err == nil {
			t.Errorf("a secret of %d bytes was taken", len(secret))
		}
	}
}

func TestRoutes(t *testing.T) {
	routes := admin.Handler(admin.Routes{
		Ready: func() error { return errors.New("no keys") }, Server: func() error { return nil },
		Quiesce: func(context.Context) {},
		Metrics: http.NotFoundHandler(), State: http.NotFoundHandler(),
	})
	for _, c := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/livez", 200, "ok\n"}, {"GET", "/readyz", 503, "no keys\n"}, {"GET", "/serverz", 200, "ok\n"},
		{"GET", "/quiesce", 200, "ok\n"}, {"GET", "/terminate", 404, ""}, {"POST", "/terminate", 404, ""}, {"POST", "/quiesce", 405, ""}, {"POST", "/livez", 405, ""}, {"GET", "/", 404, ""},
		{"GET", "/debug/pprof/", 404, ""},
	} {
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, httptest.NewRequest(c.method, c.path, http.NoBody))
		if w.Code != c.status || c.body != "" && w.Body.String() != c.body {
			t.Errorf("%s %s: %d %q", c.method, c.path, w.Code, w.Body)
		}
	}
}
