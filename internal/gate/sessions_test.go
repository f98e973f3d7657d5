package gate_test

import (
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

const sessionHeader = "Mcp-Session-Id"

// keeper is a server with sessions: POST without one opens one, and what comes with one must come with an open one.
type keeper struct {
	net.Addr

	mu    sync.Mutex
	open  map[string]bool
	seen  []http.Header // of all requests
	fixed string        // the next id; else random
}

func newKeeper(t *testing.T) *keeper {
	t.Helper()
	k := &keeper{open: map[string]bool{}}
	k.Addr = serveHTTP(t, k.serve)
	return k
}

func (k *keeper) serve(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen = append(k.seen, r.Header.Clone())
	id := r.Header.Get(sessionHeader)
	switch {
	case id == "" && r.Method == http.MethodPost:
		if id = k.fixed; id == "" {
			id = rand.Text()
		}
		k.open[id] = true
	case !k.open[id]:
		w.WriteHeader(http.StatusNotFound)
		return
	case r.Method == http.MethodDelete:
		delete(k.open, id)
	}
	w.Header().Set(sessionHeader, id)
	_, _ = io.WriteString(w, id)
}

func (k *keeper) requests() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.seen)
}

func (k *keeper) last() http.Header {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.seen[len(k.seen)-1]
}

// bound starts a gate that binds sessions; options may change the site before.
func bound(t *testing.T, upstream net.Addr, changes ...func(*site)) *site {
	t.Helper()
	s := prepareSite(t, upstream)
	s.config.SessionBinding = gateapi.SessionBindingCaller
	for _, change := range changes {
		change(s)
	}
	s.writeConfig()
	s.writeKeys(s.template.Key.Public())
	s.start()
	return s
}

// as mints a token of another subject.
func (s *site) as(subject string) string {
	s.t.Helper()
	template := s.template
	template.Subject = subject
	raw, err := template.Good(time.Now())
	must(s.t, err)
	return raw
}

// in sends a request in a session; empty is none.
func (s *site) in(session, method, bearer string, header ...string) answer {
	s.t.Helper()
	var body io.Reader = http.NoBody
	if method == http.MethodPost {
		body = strings.NewReader(ping)
	}
	r := s.request(method, "/mcp", bearer, body)
	if session != "" {
		r.Header.Set(sessionHeader, session)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header[header[i]] = append(r.Header[header[i]], header[i+1])
	}
	return s.do(r)
}

// wantNoSession: for this caller, the session does not exist.
func wantNoSession(t *testing.T, what string, got answer) {
	t.Helper()
	if got.status != http.StatusNotFound || got.Error.Data.Reason != "unknown_session" {
		t.Errorf("%s: got %d %s", what, got.status, got.body)
	}
}

// With three replicas and a restart in between, the own id works on each, another user's and an unsealed one get 404,
// and nothing of those reaches the server.
func TestSessionsOnThreeReplicasAndARestart(t *testing.T) {
	server := newKeeper(t)
	first := bound(t, server.Addr)
	replica := func() *site {
		return bound(t, server.Addr, func(s *site) { s.template = first.template })
	}
	replicas := []*site{first, replica(), replica()}
	opened := map[string]string{}
	for i, subject := range []string{"alice", "bob", "carol"} {
		got := replicas[i].in("", http.MethodPost, replicas[i].as(subject))
		opened[subject] = got.header.Get(sessionHeader)
		if got.status != 200 || got.body == opened[subject] || !strings.HasSuffix(opened[subject], "."+got.body) {
			t.Fatalf("%s gets %d, session %q for %q", subject, got.status, opened[subject], got.body)
		}
	}
	try := func(when string) {
		for i, s := range replicas {
			for subject, session := range opened {
				unsealed := session[strings.LastIndexByte(session, '.')+1:]
				for _, method := range []string{http.MethodPost, http.MethodGet} {
					got := s.in(session, method, s.as(subject))
					if got.status != 200 || got.body != unsealed || got.header.Get(sessionHeader) != session {
						t.Errorf("%s, replica %d: %s of %s gets %d %q", when, i, method, subject, got.status, got.body)
					}
					before := server.requests()
					wantNoSession(t, "a stranger's", s.in(session, method, s.as("mallory")))
					wantNoSession(t, "an unsealed one", s.in(unsealed, method, s.as(subject)))
					wantNoSession(t, "one made up", s.in("made-up", method, s.as(subject)))
					if server.requests() != before {
						t.Errorf("%s, replica %d: the server got one of them", when, i)
					}
				}
			}
			wantNoSession(t, "one of the others", s.in(opened["alice"], http.MethodPost, s.as("bob")))
		}
	}
	try("before")
	replicas[1].stop()
	replicas[1] = replica()
	try("after a restart")

	wantNoSession(t, "a stranger ends it", replicas[1].in(opened["alice"], http.MethodDelete, first.as("bob")))
	if got := replicas[1].in(opened["alice"], http.MethodDelete, first.as("alice")); got.status != 200 {
		t.Errorf("its owner ends it: %d", got.status)
	}
	// Now it is the server's own 404.
	if got := replicas[2].in(opened["alice"], http.MethodPost, first.as("alice")); got.status != 404 || got.Error.Data.Reason != "" {
		t.Errorf("an ended session: %d %s", got.status, got.body)
	}
}

func TestSessionOfAnotherServer(t *testing.T) {
	server := newKeeper(t)
	s := bound(t, server.Addr)
	other := bound(t, server.Addr, func(o *site) {
		o.template, o.config.Server.UID = s.template, "another server, with the same secret"
	})
	session := s.in("", http.MethodPost, s.token()).header.Get(sessionHeader)
	wantNoSession(t, "at another server", other.in(session, http.MethodPost, s.token()))
}

// A client that speaks without sessions has none, whatever it sends; the spellings that some servers take for the
// header do not pass either.
func TestSessionHeaderWithoutMeaning(t *testing.T) {
	server := newKeeper(t)
	s := bound(t, server.Addr)
	server.open["s1"] = true
	for _, version := range []string{"2026-07-28", "2025-11-25"} {
		got := s.in("", http.MethodPost, s.token(), "Mcp-Protocol-Version", version, "Mcp_session_id", "s1", "Mcp-Session_id", "s1")
		for name := range server.last() {
			if got.status != 200 || strings.Contains(strings.ToLower(name), "session") {
				t.Errorf("%s: %d, and the server sees %s", version, got.status, name)
			}
		}
	}
	got := s.in("s1", http.MethodPost, s.token(), "Mcp-Protocol-Version", "2026-07-28")
	if got.status != 200 || server.last().Get(sessionHeader) != "" {
		t.Errorf("got %d, and the server sees %q", got.status, server.last().Get(sessionHeader))
	}
}

func TestServersIdThatCannotBeSealed(t *testing.T) {
	server := newKeeper(t)
	s := bound(t, server.Addr)
	for _, id := range []string{strings.Repeat("x", 1024), "with space"} {
		server.fixed = id
		got := s.in("", http.MethodPost, s.token())
		if got.status != http.StatusBadGateway || got.Error.Data.Reason != "upstream_session" || got.header.Get(sessionHeader) != "" {
			t.Errorf("got %d %s, session %q", got.status, got.body, got.header.Get(sessionHeader))
		}
	}
}

// Clients join two headers of one name: an id said twice would never be known again.
func TestServersIdSaidTwice(t *testing.T) {
	ids := make(chan []string, 1)
	server := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["mcp-session-ID"] = <-ids
		w.WriteHeader(http.StatusAccepted)
	})
	for name, s := range map[string]*site{"bound": bound(t, server), "not bound": newSite(t, server)} {
		for said, want := range map[string]int{
			"one": 202, "one one": 202, "one one one": 202, "one two": 502, "one two one": 502, "one One": 502,
		} {
			ids <- strings.Fields(said)
			got := s.in("", http.MethodPost, s.token())
			switch sessions := got.header[sessionHeader]; {
			case got.status != want:
				t.Errorf("%s, %s: got %d", name, said, got.status)
			case want == 202 && (len(sessions) != 1 || !strings.HasSuffix(sessions[0], "one") || (name == "bound") != strings.HasPrefix(sessions[0], "g")):
				t.Errorf("%s, %s: got %q", name, said, sessions)
			case want == 502 && (got.Error.Data.Reason != "upstream_session" || len(sessions) > 0):
				t.Errorf("%s, %s: got %q, session %q", name, said, got.Error.Data.Reason, sessions)
			}
		}
	}
}

func TestSessionsThatAreNotBound(t *testing.T) {
	server := newKeeper(t)
	s := newSite(t, server.Addr)
	session := s.in("", http.MethodPost, s.token()).header.Get(sessionHeader)
	if got := s.in(session, http.MethodPost, s.as("another")); got.status != 200 || got.body != session || server.last().Get(sessionHeader) != session {
		t.Errorf("got %d %q, the server saw %q of %q", got.status, got.body, server.last().Get(sessionHeader), session)
	}
}

// Where sessions must be bound and cannot be, nothing passes.
func TestSecretTurnsOverAndGetsLost(t *testing.T) {
	server := newKeeper(t)
	s := bound(t, server.Addr)
	old := s.in("", http.MethodPost, s.token()).header.Get(sessionHeader)
	works := func(session string) bool { return s.in(session, http.MethodPost, s.token()).status == 200 }

	next := []byte("fedcba9876543210fedcba9876543210")
	s.write(s.dirs.secret, gateapi.NextSecretFile, next)
	s.write(s.dirs.secret, gateapi.PreviousSecretFile, testSecret)
	s.write(s.dirs.secret, gateapi.SecretFile, next)
	renewed := ""
	s.eventually("the new secret seals", func() bool {
		renewed = s.in(old, http.MethodPost, s.token()).header.Get(sessionHeader)
		return renewed != old && renewed != ""
	})
	if !works(old) || !works(renewed) {
		t.Error("a session was lost while the secret turned over")
	}
	ids := func(secrets ...[]byte) (out []string) {
		for _, secret := range secrets {
			id, err := admin.SecretID(secret)
			must(t, err)
			out = append(out, id)
		}
		return out
	}
	if state, err := s.state(podUID); err != nil || !slices.Equal(state.Secrets.Loaded(), ids(next, next, testSecret)) {
		t.Errorf("a proof by the previous secret: %+v, %v", state.Secrets, err)
	}
	must(t, os.Remove(filepath.Join(s.dirs.secret, gateapi.PreviousSecretFile)))
	s.eventually("the old secret opens nothing more", func() bool { return s.in(old, http.MethodPost, s.token()).status == 404 })

	s.write(s.dirs.secret, gateapi.SecretFile, []byte("short"))
	s.eventually("the short one is told", func() bool { return strings.Contains(s.log.String(), "the gate's secret has 5 bytes, want 32") })
	if !works(renewed) {
		t.Error("a bad file took the good secret away")
	}

	must(t, os.Remove(filepath.Join(s.dirs.secret, gateapi.SecretFile)))
	s.eventually("the loss is noticed", func() bool { return !works(renewed) })
	before := server.requests()
	for _, session := range []string{"", renewed} {
		got := s.in(session, http.MethodPost, s.token())
		if got.status != 503 || got.Error.Data.Reason != "no_secret" || got.header.Get("Retry-After") == "" {
			t.Errorf("got %d %s", got.status, got.body)
		}
	}
	if server.requests() != before {
		t.Error("the server was asked")
	}
	if ready := s.adminGet("/readyz"); ready.status != 503 || !strings.Contains(ready.body, "the gate's secret is missing") {
		t.Errorf("readyz: %d %q", ready.status, ready.body)
	}
	s.write(s.dirs.secret, gateapi.SecretFile, next)
	s.eventually("the secret is back, and so is the session", func() bool { return works(renewed) })
}

func TestStartWithAShortSecret(t *testing.T) {
	s := bound(t, serveHTTP(t, echo), func(s *site) { s.write(s.dirs.secret, gateapi.SecretFile, []byte("short")) })
	if got := s.post(s.token()); got.status != 503 || got.Error.Data.Reason != "no_secret" {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

// The kubelet swaps all files of a Secret at once, and a gate that read some before and some after it would have neither
// secret for a moment.
func TestSecretsAreOfOneTurn(t *testing.T) {
	s := prepareSite(t, serveHTTP(t, echo))
	must(t, os.Remove(filepath.Join(s.dirs.secret, gateapi.SecretFile)))
	other := []byte("fedcba9876543210fedcba9876543210")
	for turn, files := range map[string]map[string][]byte{
		"..before": {gateapi.SecretFile: testSecret, gateapi.NextSecretFile: other},
		"..after":  {gateapi.SecretFile: other, gateapi.PreviousSecretFile: testSecret},
	} {
		must(t, os.Mkdir(filepath.Join(s.dirs.secret, turn), 0o755))
		for name, data := range files {
			s.write(filepath.Join(s.dirs.secret, turn), name, data)
		}
	}
	for _, name := range []string{gateapi.SecretFile, gateapi.NextSecretFile, gateapi.PreviousSecretFile} {
		must(t, os.Symlink(filepath.Join("..data", name), filepath.Join(s.dirs.secret, name)))
	}
	link := func(turn string) {
		err := os.Symlink(turn, filepath.Join(s.dirs.secret, "..data_tmp"))
		if err = errors.Join(err, os.Rename(filepath.Join(s.dirs.secret, "..data_tmp"), filepath.Join(s.dirs.secret, "..data"))); err != nil {
			t.Error(err)
		}
	}
	link("..before")
	s.start(func(_ *site, o *gate.Options) { o.PollInterval = time.Millisecond })
	enough, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for i := 0; ; i++ {
			select {
			case <-enough:
				return
			default:
				link([]string{"..after", "..before"}[i%2])
			}
		}
	}()
	defer func() { <-ended }()
	defer close(enough)
	for range 20 {
		state, err := s.state(podUID)
		must(t, err)
		if ids := state.Secrets; len(ids.Loaded()) != 2 || ids.Next == ids.Current || ids.Previous == ids.Current {
			t.Fatalf("the gate has loaded %+v", ids)
		}
	}
}

// A server that keeps no sessions gets no session id, whatever clients make up. What a gate has sealed is judged as ever.
func TestIDsOfClientsAtAStatelessServer(t *testing.T) {
	server := newKeeper(t)
	stateless := func(s *site) { s.config.SessionBinding = gateapi.SessionBindingStateless }
	s := bound(t, server.Addr, stateless)
	for _, made := range []string{"made-up", "00000000-0000-4000-8000-000000000000", "g"} {
		if got := s.in(made, http.MethodPost, s.token()); got.status != 200 || server.last().Get(sessionHeader) != "" {
			t.Errorf("%s: got %d %s, the server saw %q", made, got.status, got.body, server.last().Get(sessionHeader))
		}
	}
	opened := s.in("", http.MethodPost, s.token())
	sealed := opened.header.Get(sessionHeader)
	if sealed == opened.body || sealed == "" {
		t.Fatalf("the session of the server left as it is: %q", sealed)
	}
	if got := s.in(sealed, http.MethodPost, s.token()); got.status != 200 || got.body != opened.body {
		t.Errorf("its own session: got %d %s", got.status, got.body)
	}
	asked := server.requests()
	wantNoSession(t, "somebody else's", s.in(sealed, http.MethodPost, s.as("mallory")))
	wantNoSession(t, "a forged one", s.in(sealed+"x", http.MethodPost, s.token()))
	if server.requests() > asked+1 {
		t.Error("a foreign session reached the server")
	}
	// The server's own id is of no use to whoever has learned it.
	if got := s.in(opened.body, http.MethodPost, s.as("mallory")); got.status != 200 || server.last().Get(sessionHeader) != "" {
		t.Errorf("the id of the server: got %d, the server saw %q", got.status, server.last().Get(sessionHeader))
	}
}
