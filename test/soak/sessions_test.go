//go:build soak

package soak

import (
	"crypto/rand"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

const (
	sessionHeader  = "Mcp-Session-Id"
	unknownSession = "404 unknown_session"
)

// hotel is a server with sessions: a POST without one opens one, and tells its id in its body, too.
type hotel struct {
	mu   sync.Mutex
	open map[string]bool
	// strangers counts requests in sessions that it does not know.
	strangers int
}

func (h *hotel) serve(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	id := r.Header.Get(sessionHeader)
	if id == "" {
		id = rand.Text()
		h.open[id] = true
	}
	if !h.open[id] {
		h.strangers++
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set(sessionHeader, id)
	_, _ = io.WriteString(w, id)
}

// Three gates share a secret, keys and a server. Whichever is asked, also one that was killed and started anew, a session is
// its owner's, and nobody else's.
func TestSessionsOnThreeReplicasThatAreKilled(t *testing.T) {
	r := newReplicas(t)
	costs := &table{title: "Sessions: three gates, each killed (SIGKILL) and started again", rows: [][]any{{"rounds", "own session: 200", "another's, unsealed or made up: 404", "wrong answers"}}}
	rounds := 0
	for end := time.Now().Add(lasting(30 * time.Second)); rounds == 0 || time.Now().Before(end); rounds++ {
		for victim, gate := range r.gates {
			r.open(victim)
			r.try(r.gates)
			gate.Kill()
			r.try(allBut(r.gates, victim))
			gate.Start(t)
			r.try(r.gates)
		}
	}
	costs.rows = append(costs.rows, []any{rounds, r.right[accepted], r.right[unknownSession], r.wrong})
	costs.write(t)
	if r.server.strangers > 0 {
		t.Errorf("the server got %d requests in sessions that it does not know", r.server.strangers)
	}
}

// replicas are gates in front of one server, and the sessions that were opened there.
type replicas struct {
	t        *testing.T
	server   *hotel
	gates    []*pod.Gate
	template token.Template
	sessions []*stay
	right    map[string]int // answers by verdict
	wrong    int
}

// stay is a session of a user.
type stay struct {
	user, bearer     string
	sealed, unsealed string
}

func newReplicas(t *testing.T) *replicas {
	t.Helper()
	r := &replicas{t: t, server: &hotel{open: map[string]bool{}}, template: newIssuer(t), right: map[string]int{}}
	upstream, secret := serve(t, r.server.serve), pod.NewSecret()
	for _, name := range []string{"first", "second", "third"} {
		gate := newGate(t, name, upstream)
		gate.Config.SessionBinding = gateapi.SessionBindingCaller
		gate.WriteConfig(t)
		gate.WriteSecret(t, secret)
		gate.WriteKeys(t, providerName, r.template.Key.Public())
		gate.Start(t)
		r.gates = append(r.gates, gate)
	}
	return r
}

func allBut(gates []*pod.Gate, one int) []*pod.Gate {
	return append(append([]*pod.Gate{}, gates[:one]...), gates[one+1:]...)
}

// open opens a session for each of some users, at one gate. The last ones of before are left.
func (r *replicas) open(at int) {
	r.t.Helper()
	const userCount = 3
	r.sessions = r.sessions[max(0, len(r.sessions)-userCount):]
	for _, user := range []string{"alice", "bob", "carol"} {
		s := &stay{user: user, bearer: mint(r.t, r.template, user)}
		got := r.ask(r.gates[at], s.bearer, "")
		s.sealed, s.unsealed = got.header.Get(sessionHeader), got.body
		if got.verdict != accepted || !strings.HasSuffix(s.sealed, "."+s.unsealed) {
			r.t.Fatalf("%s opens a session: %s, %q for %q", user, got.verdict, s.sealed, s.unsealed)
		}
		r.sessions = append(r.sessions, s)
	}
}

func (r *replicas) ask(gate *pod.Gate, bearer, session string) reply {
	r.t.Helper()
	client := newCaller("http", gate.Config.Port, false)
	if session != "" {
		client.header.Set(sessionHeader, session)
	}
	got, err := client.post(r.t.Context(), bearer, call("read"))
	must(r.t, err)
	return got
}

// try tries every session at every one of these gates, as its owner and as others.
func (r *replicas) try(gates []*pod.Gate) {
	r.t.Helper()
	for _, gate := range gates {
		for _, s := range r.sessions {
			if got := r.ask(gate, s.bearer, s.sealed); r.want(accepted, got, s.user+", own session") && got.body != s.unsealed {
				r.wrong++
				r.t.Errorf("%s gets into another session", s.user)
			}
			r.want(unknownSession, r.ask(gate, s.bearer, s.unsealed), s.user+", own session, unsealed")
			r.want(unknownSession, r.ask(gate, s.bearer, "made-up"), s.user+", one made up")
			for _, other := range r.sessions {
				if other.user != s.user {
					r.want(unknownSession, r.ask(gate, other.bearer, s.sealed), other.user+" in the session of "+s.user)
				}
			}
		}
	}
}

func (r *replicas) want(verdict string, got reply, what string) bool {
	r.t.Helper()
	if got.verdict != verdict {
		r.wrong++
		r.t.Errorf("%s: got %s, want %s", what, got.verdict, verdict)
		return false
	}
	r.right[verdict]++
	return true
}
