package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/client-go/rest"
)

// answering gives the configuration of an API server that allows these resources, as "namespace resource".
func answering(t *testing.T, allowed func(resource string) bool) *rest.Config {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		review := authorizationv1.SelfSubjectAccessReview{}
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		asked := review.Spec.ResourceAttributes
		review.Status.Allowed = allowed(strings.TrimSpace(asked.Namespace + " " + asked.Resource))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		if err := json.NewEncoder(w).Encode(review); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(api.Close)
	return &rest.Config{Host: api.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}
}

func TestRestrict(t *testing.T) {
	reviews := []string{"tokenreviews", "subjectaccessreviews"}
	for name, c := range map[string]struct {
		allowed, namespaces []string
		insecure            bool
		metrics             string
		open, shut          []string
		fails               string
	}{
		"all":                       {allowed: reviews, metrics: ":8443"},
		"no metrics without a role": {metrics: "0"},
		"no half of it":             {allowed: reviews[:1], metrics: "0"},
		"metrics for everybody":     {insecure: true, metrics: ":8443"},
		"namespaces":                {allowed: []string{"a mcpservers", "b mcpservers"}, namespaces: []string{"a", "b"}, metrics: "0", open: []string{"a", "b"}},
		"one is shut":               {allowed: []string{"b mcpservers"}, namespaces: []string{"a", "b"}, metrics: "0", open: []string{"b"}, shut: []string{"a"}},
		"all are shut":              {namespaces: []string{"a", "b"}, fails: "config/namespaced/watched) in a, b"},
	} {
		t.Run(name, func(t *testing.T) {
			own, err := newRights(answering(t, func(resource string) bool { return slices.Contains(c.allowed, resource) }))
			if err != nil {
				t.Fatal(err)
			}
			o := options{metricsAddress: ":8443", metricsSecure: !c.insecure, watchNamespaces: c.namespaces}
			shut, err := own.restrict(t.Context(), &o)
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Fatalf("%v, want %q", err, c.fails)
				}
				return
			}
			if err != nil || o.metricsAddress != c.metrics || !slices.Equal(o.watchNamespaces, c.open) || !slices.Equal(shut, c.shut) {
				t.Errorf("metrics at %s, namespaces %q without %q, %v", o.metricsAddress, o.watchNamespaces, shut, err)
			}
		})
	}
}

func TestOperatorEndsWhenANamespaceIsOpened(t *testing.T) {
	var open atomic.Bool
	asked := make(chan struct{}, 100)
	own, err := newRights(answering(t, func(string) bool {
		asked <- struct{}{}
		return open.Load()
	}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- opening{own, []string{"a"}, time.Millisecond}.Start(ctx) }()
	<-asked
	<-asked
	select {
	case err := <-done:
		t.Fatalf("it ended: %v", err)
	default:
	}
	open.Store(true)
	if err := <-done; err == nil || !strings.Contains(err.Error(), "may now look after a") {
		t.Errorf("%v", err)
	}

	open.Store(false)
	go func() { done <- opening{own, []string{"a"}, time.Millisecond}.Start(ctx) }()
	stop()
	if err := <-done; err != nil {
		t.Errorf("at the end: %v", err)
	}
}

func TestServerVersion(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		fails  string
	}{
		{http.StatusOK, `{"gitVersion":"v1.33.0"}`, ""},
		{http.StatusOK, `{"gitVersion":"v1.35.2-gke.7"}`, ""},
		{http.StatusOK, `{"gitVersion":"v1.32.9"}`, "needs 1.33 or newer"},
		{http.StatusOK, `{"gitVersion":"?"}`, `version "?"`},
		{http.StatusForbidden, `{"kind":"Status","apiVersion":"v1","reason":"Forbidden","code":403}`, ""},
		{http.StatusInternalServerError, "", "ask the cluster for its version"},
	} {
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.body))
		}))
		err := checkServerVersion(&rest.Config{Host: api.URL})
		api.Close()
		if (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%d %s: %v, want %q", c.status, c.body, err, c.fails)
		}
	}
}
