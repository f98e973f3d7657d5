package gate_test

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
)

// The fallback port is a second door to the same gate: a good token gets as far as the server, and nobody else does. With
// no server both say so, in the gate's own words.
func TestFallbackPortIsTheSameGate(t *testing.T) {
	dead := listen(t)
	dead.Close()
	for name, row := range map[string]struct {
		upstream net.Addr
		status   int
		reason   string
	}{
		"a server":  {serveHTTP(t, echo), http.StatusOK, ""},
		"no server": {dead.Addr(), http.StatusBadGateway, "upstream_refused"},
	} {
		t.Run(name, func(t *testing.T) {
			fallback := listen(t)
			s := newSite(t, row.upstream, func(_ *site, o *gate.Options) { o.FallbackListener = fallback })
			for _, door := range []string{s.clients, fallback.Addr().String()} {
				s.clients = door
				if got := s.post(s.token()); got.status != row.status || got.Error.Data.Reason != row.reason {
					t.Errorf("a good token at %s: got %d %s, want %d %s", door, got.status, got.Error.Data.Reason, row.status, row.reason)
				}
				for bearer, reason := range map[string]string{"": "missing_token", "not-a-token": "malformed_token"} {
					if got := s.post(bearer); got.status != http.StatusUnauthorized || got.Error.Data.Reason != reason {
						t.Errorf("%q at %s: got %d %s", bearer, door, got.status, got.Error.Data.Reason)
					}
				}
			}
			state, err := s.state(podUID)
			must(t, err)
			if slices.ContainsFunc(state.Listeners, func(l admin.Listener) bool { return int(l.Port) == portOf(fallback) }) {
				t.Error("the gate lists its own fallback port as somebody else's")
			}
			s.stop()
			if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", fallback.Addr().String()); err == nil {
				conn.Close()
				t.Error("the fallback port outlives its gate")
			}
		})
	}
}

// Whoever has the fallback port would get the tokens of clients while no pod is ready, so the gate does not run without it.
func TestGateNeedsItsFallbackPort(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", ":0")
	must(t, err)
	defer taken.Close()
	s := prepareSite(t, serveHTTP(t, echo))
	s.config.FallbackPort = int32(portOf(taken))
	s.writeConfig()
	client := listen(t)
	g, err := gate.New(gate.Options{
		ConfigDir: s.dirs.config, KeysDir: s.dirs.keys, SecretDir: s.dirs.secret, ClientListener: client, AdminListener: listen(t),
	})
	must(t, err)
	if err := g.Run(t.Context()); !errors.Is(err, gate.ErrPortTaken) {
		t.Errorf("got %v, want ErrPortTaken", err)
	}
	if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", client.Addr().String()); err == nil {
		conn.Close()
		t.Error("the gate's port is still open")
	}
}

func portOf(listener net.Listener) int { return listener.Addr().(*net.TCPAddr).Port }
