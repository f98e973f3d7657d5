package gate_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
)

func (s *site) state(uid string) (admin.State, error) {
	s.t.Helper()
	key, err := admin.NewKey(secret)
	must(s.t, err)
	client := admin.Client{Key: key, Now: s.now}
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	return client.State(ctx, "http://"+s.admin, uid)
}

func TestStateIsForTheOperatorAlone(t *testing.T) {
	s := newSite(t, serveHTTP(t, echo))
	state, err := s.state(podUID)
	must(t, err)
	if state.PodUID != podUID || state.Version != "test" || state.Instance == "" || state.SelfTest != "passed" ||
		len(state.ConfigSHA256) != 64 || time.Since(state.Time).Abs() > time.Hour || state.LastReloadError != "" ||
		!slices.Equal(state.Keys["managed"], []string{s.template.Key.ID()}) {
		t.Errorf("got %+v", state)
	}
	if _, err := s.state("another-pod"); !errors.Is(err, admin.ErrNotOurPod) {
		t.Errorf("asked for another pod: %v", err)
	}
	if got := s.adminGet("/state"); got.status != http.StatusNotFound {
		t.Errorf("without a proof: got %d %s", got.status, got.body)
	}
	must(t, os.Remove(filepath.Join(s.dirs.secret, authproxy.SecretFile)))
	if _, err := s.state(podUID); !errors.Is(err, admin.ErrNotOurPod) {
		t.Errorf("a gate without its secret: %v", err)
	}
	if got := s.adminGet("/readyz"); got.status != http.StatusOK {
		t.Errorf("a gate without its secret is not ready: %q", got.body)
	}
}

func TestStateTellsOfWorkAndLife(t *testing.T) {
	s := newSite(t, serveHTTP(t, streamer(event)))
	before, err := s.state(podUID)
	must(t, err)
	if before.ConfigSchema != "authproxy.v1" || before.UptimeSeconds < 0 || before.UptimeSeconds > 3600 || before.OpenStreams != 0 ||
		before.LastAccepted == nil || len(before.LastAccepted) != 0 {
		t.Errorf("got %+v", before)
	}
	s.openStream(http.MethodGet)
	s.post("not-a-token")
	s.post("not-a-token")
	var after admin.State
	s.eventually("all is counted", func() bool {
		after, err = s.state(podUID)
		must(t, err)
		return after.OpenStreams == 1 && after.Refused["malformed_token"] == before.Refused["malformed_token"]+2
	})
	if after.Refused["missing_token"] != before.Refused["missing_token"] || before.Refused["missing_token"] == 0 {
		t.Errorf("the self-test's own: %v, %v", before.Refused, after.Refused)
	}
	if at := after.LastAccepted["managed"]; time.Since(at).Abs() > time.Hour {
		t.Errorf("last accepted: %v", after.LastAccepted)
	}
	s.config.Providers[0].Name = "renamed"
	s.writeConfig()
	s.eventually("a provider that is gone is forgotten", func() bool {
		after, err = s.state(podUID)
		must(t, err)
		return len(after.LastAccepted) == 0
	})
}
