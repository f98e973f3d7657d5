package gate_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

func (s *site) state(uid string) (admin.State, error) {
	s.t.Helper()
	key, err := admin.NewKey(testSecret)
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
	prints, err := admin.NewFingerprinter(testSecret)
	must(t, err)
	fingerprint, err := prints.Of("managed", s.template.Key.Public())
	must(t, err)
	if !slices.Equal(state.Fingerprints["managed"], []string{fingerprint}) {
		t.Errorf("got the fingerprints %v, want %s", state.Fingerprints, fingerprint)
	}
	if _, err := s.state("another-pod"); !errors.Is(err, admin.ErrNotOurPod) {
		t.Errorf("asked for another pod: %v", err)
	}
	if got := s.adminGet("/state"); got.status != http.StatusNotFound {
		t.Errorf("without a proof: got %d %s", got.status, got.body)
	}
	must(t, os.Remove(filepath.Join(s.dirs.secret, gateapi.SecretFile)))
	s.eventually("a gate without its secret says nothing", func() bool {
		_, err := s.state(podUID)
		return errors.Is(err, admin.ErrNotOurPod)
	})
	if got := s.adminGet("/readyz"); got.status != http.StatusOK {
		t.Errorf("a gate without its secret is not ready: %q", got.body)
	}
}

func TestStateTellsOfWorkAndLife(t *testing.T) {
	s := newSite(t, serveHTTP(t, streamer(sseEvent)))
	before, err := s.state(podUID)
	must(t, err)
	if before.ConfigSchema != "authproxy.v2" || before.UptimeSeconds < 0 || before.UptimeSeconds > 3600 || before.OpenStreams != 0 ||
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
	if len(before.Refused) != 0 || len(after.Refused) != 1 {
		t.Errorf("refusals without the self-test's own: %v, %v", before.Refused, after.Refused)
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

// Who refuses everybody has Since, and nobody accepted after it.
func TestStateTellsWhoIsRefused(t *testing.T) {
	s := newSite(t, serveHTTP(t, echo))
	expired, err := s.template.Good(time.Now().Add(-time.Hour))
	must(t, err)
	refusals := func(reason string, n int64) admin.Refusals {
		t.Helper()
		var got admin.Refusals
		s.eventually("refusals are counted", func() bool {
			state, err := s.state(podUID)
			must(t, err)
			got = state.Refusals["managed"]
			return got.Reasons[reason] == n
		})
		return got
	}
	for range 2 {
		s.post(s.forged())
	}
	s.post("not-a-token") // It is nobody's.
	first := refusals("bad_signature", 2)
	s.post(expired)
	second := refusals("expired", 1)
	if first.Since.IsZero() || first.Last.Before(first.Since) || !second.Since.Equal(first.Since) || second.Last.Before(first.Last) || len(second.Reasons) != 2 {
		t.Errorf("got %+v, then %+v", first, second)
	}
	if want := (map[string]string{"bad_signature": "signature: of none of 1 keys", "expired": second.Details["expired"]}); !maps.Equal(second.Details, want) ||
		!strings.HasPrefix(want["expired"], "exp: passed ") {
		t.Errorf("the details are %v", second.Details)
	}
	if got := s.post(s.token()); got.status != 200 {
		t.Fatalf("got %d", got.status)
	}
	s.eventually("somebody was let in", func() bool {
		state, err := s.state(podUID)
		must(t, err)
		got := state.Refusals["managed"]
		return got.Since.IsZero() && got.Last.Equal(second.Last) && state.LastAccepted["managed"].After(got.Last)
	})
	// Who had a good token, and may not, was refused as well.
	s.config.Authorization.RequiredScopes = []string{"nobody-has-it"}
	s.writeConfig()
	s.eventually("a scope is asked for, and its lack is counted", func() bool { // The last who was let in may be counted late.
		if got := s.post(s.token()); got.status != 403 {
			return false
		}
		state, err := s.state(podUID)
		must(t, err)
		got := state.Refusals["managed"]
		return got.Reasons["insufficient_scope"] > 0 && !got.Since.IsZero()
	})
	s.config.Providers[0].Name = "renamed"
	s.writeConfig()
	s.eventually("a provider that is gone is forgotten", func() bool {
		state, err := s.state(podUID)
		must(t, err)
		return len(state.Refusals) == 0
	})
}
