package gate_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

func TestKeysFollowTheMountedFiles(t *testing.T) {
	s := newSite(t, serveHTTP(t, echo))
	old := s.token()
	status := func(bearer string, want int) func() bool {
		return func() bool { return s.post(bearer).status == want }
	}

	first := s.template.Key
	s.template.Key = newKey(t)
	second := s.token()
	if got := s.post(second); got.Error.Data.Reason != "unknown_key" {
		t.Errorf("before it is published the new key gets %d %s", got.status, got.body)
	}
	s.writeKeys(first.Public(), s.template.Key.Public())
	s.eventually("the added key works", status(second, 200))
	if got := s.post(old); got.status != 200 {
		t.Errorf("while both are published the old key gets %d", got.status)
	}

	s.writeKeys(s.template.Key.Public())
	s.eventually("the removed key is refused", status(old, 401))

	s.write(s.dirs.keys, gateapi.KeysFile("managed"), []byte(`{"keys":[]}`))
	s.eventually("the bad file is noticed", func() bool { return strings.Contains(s.log.String(), "the key set is empty") })
	if got := s.post(second); got.status != 200 {
		t.Errorf("a bad file took the good keys away: %d", got.status)
	}
	if metrics := s.adminGet("/metrics").body; !strings.Contains(metrics, `gatehouse_gate_reload_failures_total{file="keys"} 1`) ||
		!strings.Contains(metrics, "gatehouse_gate_last_reload_successful 0\n") ||
		!strings.Contains(metrics, `gatehouse_gate_keys{provider="managed"} 1`) {
		t.Error("the metrics do not tell of the bad file, or lost count of the keys")
	}
	if state, err := s.state(podUID); err != nil || !strings.Contains(state.LastReloadError, "managed.jwks: the key set is empty") {
		t.Errorf("state: %v %+v", err, state)
	}

	must(t, os.Remove(filepath.Join(s.dirs.keys, gateapi.KeysFile("managed"))))
	s.eventually("the lost file is noticed", func() bool { return strings.Contains(s.log.String(), "the file is gone") })
	if got := s.post(second); got.status != 200 {
		t.Errorf("the loss of a file that the operator publishes took the keys away: %d", got.status)
	}
	s.keysAreOfUser()
	s.eventually("without keys nobody enters", status(second, 503))
	got := s.post(second)
	if got.Error.Data.Reason != "no_keys" || got.header.Get("Retry-After") == "" || got.header.Get("WWW-Authenticate") != "" {
		t.Errorf("got %v %s", got.header, got.body)
	}
	if got := s.post(""); got.status != 401 {
		t.Errorf("without keys and without a token: got %d", got.status)
	}
	if ready := s.adminGet("/readyz"); ready.status != 503 || ready.body != "no keys are loaded\n" {
		t.Errorf("readyz: %d %q", ready.status, ready.body)
	}
	s.writeKeys(s.template.Key.Public())
	s.eventually("the keys are back", status(second, 200))
}

// A gate that cannot read what was revoked before it was started lets nobody in; one that could, goes by what it read.
func TestUnreadableRevocationsCloseANewGate(t *testing.T) {
	s := prepareSite(t, serveHTTP(t, echo))
	bad, good := []byte("sub:somebody else\nsub:\n"), []byte("sub:somebody else\n")
	s.write(s.dirs.keys, gateapi.RevokedFile, bad)
	s.start()
	if got := s.post(s.token()); got.status != 503 || got.Error.Data.Reason != "no_revocations" || got.header.Get("Retry-After") == "" {
		t.Errorf("a good token gets %d %s", got.status, got.body)
	}
	for bearer, want := range map[string]string{"": "missing_token", s.forged(): "bad_signature", s.as("somebody else"): "revoked"} {
		if got := s.post(bearer); got.status != 401 || got.Error.Data.Reason != want {
			t.Errorf("got %d %s, want %s", got.status, got.body, want)
		}
	}
	if got := s.adminGet("/readyz"); got.status != 503 || got.body != "the list of revocations cannot be read\n" {
		t.Errorf("readyz: %d %q", got.status, got.body)
	}
	s.write(s.dirs.keys, gateapi.RevokedFile, good)
	s.eventually("ready", func() bool { return s.adminGet("/readyz").status == 200 && s.post(s.token()).status == 200 })
	s.write(s.dirs.keys, gateapi.RevokedFile, bad)
	s.eventually("the bad list is noticed", func() bool {
		state, err := s.state(podUID)
		must(t, err)
		return strings.Contains(state.LastReloadError, "revoked: line 2")
	})
	if s.post(s.token()).status != 200 || s.adminGet("/readyz").status != 200 {
		t.Error("a list that became bad closed the gate")
	}
	must(t, os.Remove(filepath.Join(s.dirs.keys, gateapi.RevokedFile)))
	s.eventually("the lost list is noticed", func() bool { return strings.Contains(s.log.String(), "the file is gone") })
	if got := s.post(s.as("somebody else")); got.status != 401 {
		t.Errorf("the loss of the list let in who is revoked: %d", got.status)
	}
	s.write(s.dirs.keys, gateapi.RevokedFile, nil)
	s.eventually("the list is empty", func() bool { return s.post(s.as("somebody else")).status == 200 })
}

// The kubelet writes each generation into a folder of its own and swaps one symbolic link.
func TestKeysFollowTheKubeletsLink(t *testing.T) {
	s := prepareSite(t, serveHTTP(t, echo))
	file := gateapi.KeysFile("managed")
	must(t, os.Remove(filepath.Join(s.dirs.keys, file)))
	publish := func(generation string, key keys.Public) {
		must(t, os.Mkdir(filepath.Join(s.dirs.keys, generation), 0o755))
		data, err := keys.MarshalPublic([]keys.Public{key})
		must(t, err)
		s.write(filepath.Join(s.dirs.keys, generation), file, data)
		must(t, os.Symlink(generation, filepath.Join(s.dirs.keys, "..data_tmp")))
		must(t, os.Rename(filepath.Join(s.dirs.keys, "..data_tmp"), filepath.Join(s.dirs.keys, "..data")))
	}
	publish("..2026_11_23_1", s.template.Key.Public())
	must(t, os.Symlink(filepath.Join("..data", file), filepath.Join(s.dirs.keys, file)))
	s.start()
	old := s.token()
	if got := s.post(old); got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	s.template.Key = newKey(t)
	publish("..2026_11_23_2", s.template.Key.Public())
	must(t, os.RemoveAll(filepath.Join(s.dirs.keys, "..2026_11_23_1")))
	s.eventually("the new generation is in force", func() bool { return s.post(s.token()).status == 200 && s.post(old).status == 401 })
}

func TestConfigurationFollowsTheMountedFile(t *testing.T) {
	s := newSite(t, serveHTTP(t, echo))
	upstreamPort := s.config.Upstream.Port
	s.config.Upstream.Path, s.config.Upstream.Port = "/other", 1
	s.writeConfig()
	s.eventually("the new path is served, by the server this pod has", func() bool {
		return s.do(s.request(http.MethodPost, "/other", s.token(), strings.NewReader(ping))).status == 200
	})
	if got := s.post(s.token()); got.status != 404 {
		t.Errorf("the old path gets %d", got.status)
	}
	before, err := s.state(podUID)
	must(t, err)
	s.write(s.dirs.config, gateapi.ConfigFile, []byte(`{"unheardOf":1}`))
	s.eventually("the bad file is noticed", func() bool { return strings.Contains(s.log.String(), "unheardOf") })
	if got := s.do(s.request(http.MethodPost, "/other", s.token(), strings.NewReader(ping))); got.status != 200 {
		t.Errorf("a bad file took the good configuration away: %d", got.status)
	}
	after, err := s.state(podUID)
	if err != nil || before.ConfigSHA256 != after.ConfigSHA256 || before.LastReloadError != "" || !strings.Contains(after.LastReloadError, "unheardOf") {
		t.Errorf("state before and after: %+v, %+v, %v", before, after, err)
	}
	s.config.Upstream.Path, s.config.Upstream.Port = "/mcp", upstreamPort
	s.writeConfig()
	s.eventually("the problem is over", func() bool {
		state, err := s.state(podUID)
		return err == nil && state.LastReloadError == "" && s.post(s.token()).status == 200
	})
}

func TestStartWithoutConfigurationFails(t *testing.T) {
	s := prepareSite(t, serveHTTP(t, echo))
	must(t, os.Remove(filepath.Join(s.dirs.config, gateapi.ConfigFile)))
	if _, err := gate.New(gate.Options{ConfigDir: s.dirs.config, KeysDir: s.dirs.keys}); err == nil {
		t.Error("a gate without configuration started")
	}
}

// A gate that does not refuse must not become ready. Here something else answers on its port.
func TestSelfTestKeepsAnOpenGateFromBeingReady(t *testing.T) {
	for name, c := range map[string]struct {
		open http.HandlerFunc
		want string
	}{
		"lets everybody in": {echo, "no token: got status 200"},
		"refuses without looking": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", "Bearer x")
			w.WriteHeader(401)
			_, _ = io.WriteString(w, `{"error":{"data":{"reason":"missing_token"}}}`)
		}, `forgery for managed: got status 401 and reason "missing_token", want 401 and "bad_signature"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := prepareSite(t, serveHTTP(t, echo))
			s.startUnready(func(_ *site, o *gate.Options) {
				o.ClientListener = impostorListener{o.ClientListener, serveHTTP(t, c.open)}
			})
			var state admin.State
			s.eventually("the self-test has failed", func() bool {
				var err error
				state, err = s.state(podUID)
				must(t, err)
				return state.SelfTest != "pending"
			})
			if !strings.Contains(state.SelfTest, c.want) || !strings.Contains(s.log.String(), `"msg":"self-test","verdict":"`) {
				t.Errorf("state: %q", state.SelfTest)
			}
			if got := s.adminGet("/readyz"); got.status != 503 || got.body != "the self-test has not passed\n" {
				t.Errorf("readyz: %d %q", got.status, got.body)
			}
		})
	}
}

// impostorListener says it is where another server listens.
type impostorListener struct {
	net.Listener

	elsewhere net.Addr
}

func (l impostorListener) Addr() net.Addr { return l.elsewhere }

func TestReadyFollowsTheServer(t *testing.T) {
	listener := listen(t)
	s := newSite(t, listener.Addr())
	s.eventually("ready", func() bool { return s.adminGet("/readyz").status == 200 })
	if state, err := s.state(podUID); err != nil || state.ServerAbsence != "" {
		t.Errorf("of a server that listens the state says %q, %v", state.ServerAbsence, err)
	}
	listener.Close()
	s.eventually("not ready", func() bool {
		got := s.adminGet("/readyz")
		return got.status == 503 && strings.HasPrefix(got.body, "the server is not listening")
	})
	state, err := s.state(podUID)
	must(t, err)
	if want := "nothing listens on " + listener.Addr().String(); !strings.HasPrefix(state.ServerAbsence, want) {
		t.Errorf("the state says %q, want %q", state.ServerAbsence, want)
	}
	if got := s.adminGet("/livez"); got.status != 200 || got.body != "ok\n" {
		t.Errorf("livez must tell of the process alone: %d %q", got.status, got.body)
	}
}

func TestServerOnIPv6LoopbackAlone(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "[::1]:0")
	must(t, err)
	server := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"result":{}}`)
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	s := newSite(t, listener.Addr())
	s.eventually("ready", func() bool { return s.adminGet("/readyz").status == 200 })
	if got := s.post(s.token()); got.status != 200 {
		t.Errorf("a good token: %d %s", got.status, got.body)
	}
	if state, err := s.state(podUID); err != nil || state.ServerAbsence != "" {
		t.Errorf("the state says %q, %v", state.ServerAbsence, err)
	}
}

func TestServerHealth(t *testing.T) {
	for name, c := range map[string]struct {
		upstream net.Addr
		path     string
		status   int
	}{
		"listens":                 {serveRaw(t, reset), "", 200},
		"answers":                 {serveHTTP(t, echo), "/health", 200},
		"refuses without a token": {serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }), "/health", 200},
		"fails":                   {serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }), "/health", 503},
		"resets":                  {serveRaw(t, reset), "/health", 503},
		"breaks off in the answer": {serveRaw(t, func(conn *net.TCPConn) {
			readRequest(conn)
			sendText(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
		}), "/health", 503},
	} {
		s := prepareSite(t, c.upstream)
		s.config.Upstream.HealthPath = c.path
		s.writeConfig()
		s.start()
		if got := s.adminGet("/serverz"); got.status != c.status {
			t.Errorf("%s: got %d %q", name, got.status, got.body)
		}
	}
}

// openStream opens an event stream and reads its first event.
func (s *site) openStream(method string) *http.Response {
	s.t.Helper()
	response, err := http.DefaultClient.Do(s.request(method, "/mcp", s.token(), strings.NewReader(ping)))
	must(s.t, err)
	s.t.Cleanup(func() { response.Body.Close() })
	_, err = io.ReadFull(response.Body, make([]byte, len(sseEvent)))
	must(s.t, err)
	return response
}

const sseEvent = "data: 1\n\n"

// streamer opens a stream that never ends by itself.
func streamer(start string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = io.WriteString(w, start)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

func TestStreamEndsWithItsToken(t *testing.T) {
	for name, c := range map[string]struct{ start, rest string }{
		"between events": {sseEvent, ": the access token has expired\n"},
		// A comment in the middle of a line would become part of it.
		"in an event": {sseEvent + "data: {", "data: {"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := prepareSite(t, serveHTTP(t, streamer(c.start)))
			s.config.Providers[0].ClockSkewSeconds = 0
			s.writeConfig()
			s.template.Lifetime = 3 * time.Second
			s.start()
			response := s.openStream(http.MethodPost)
			rest, err := io.ReadAll(response.Body)
			if string(rest) != c.rest || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %q, %v; want %q and an end that is seen to be one", rest, err, c.rest)
			}
		})
	}
}

func TestTerminatingPodEndsStreams(t *testing.T) {
	s := prepareSite(t, serveHTTP(t, streamer(sseEvent)))
	s.config.Drain = gateapi.Drain{EndpointSeconds: 0, RequestSeconds: 300}
	s.writeConfig()
	s.start()
	listening, working := s.openStream(http.MethodGet), s.openStream(http.MethodPost)
	s.gate.Terminate()
	if state, err := s.state(podUID); err != nil || !state.Terminating {
		t.Errorf("state: %+v, %v", state, err)
	}
	rest, err := io.ReadAll(listening.Body)
	if string(rest) != ": the server is shutting down\n" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the GET stream ends with %q, %v", rest, err)
	}
	late := s.stream(http.MethodGet, s.token())
	if rest, err = io.ReadAll(late.Body); !strings.HasSuffix(string(rest), ": the server is shutting down\n") || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a GET stream that opens after that ends with %q, %v", rest, err)
	}
	got := s.raw("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
	if got.status != 401 || !got.closes {
		t.Errorf("a new request gets %d, and the connection stays open: %v", got.status, !got.closes)
	}
	quiesced := make(chan answer, 1)
	go func() { quiesced <- s.adminGet("/quiesce") }()
	select {
	case <-quiesced:
		t.Error("quiesce did not wait for the POST")
	case <-time.After(50 * time.Millisecond):
	}
	working.Body.Close()
	if got := <-quiesced; got.status != 200 {
		t.Errorf("quiesce: %d", got.status)
	}
}

func TestQuiesceGivesUpAndChangesNothing(t *testing.T) {
	s := prepareSite(t, serveHTTP(t, streamer(sseEvent)))
	s.config.Drain = gateapi.Drain{EndpointSeconds: 0, RequestSeconds: 1}
	s.writeConfig()
	s.start()
	s.openStream(http.MethodPost)
	if got := s.adminGet("/quiesce"); got.status != 200 {
		t.Errorf("quiesce: %d", got.status)
	}
	if got := s.adminGet("/readyz"); got.status != 200 {
		t.Errorf("quiesce made the gate unready: %q", got.body)
	}
	s.openStream(http.MethodPost)
}

func TestStopWaitsForRequestsInFlight(t *testing.T) {
	reached, finish := make(chan struct{}), make(chan struct{})
	s := newSite(t, serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		close(reached)
		<-finish
		echo(w, r)
	}))
	answered := make(chan answer, 1)
	go func() { answered <- s.post(s.token()) }()
	<-reached
	stopped := make(chan struct{})
	go func() { s.stop(); close(stopped) }()
	s.eventually("the gate is stopping", func() bool { return strings.Contains(s.log.String(), "stopping") })
	close(finish)
	if got := <-answered; got.status != 200 {
		t.Errorf("the request in flight got %d", got.status)
	}
	<-stopped
}

func TestPortTaken(t *testing.T) {
	s := prepareSite(t, serveHTTP(t, echo))
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", ":0")
	must(t, err)
	defer taken.Close()
	s.config.Port = int32(taken.Addr().(*net.TCPAddr).Port)
	s.writeConfig()
	g, err := gate.New(gate.Options{ConfigDir: s.dirs.config, KeysDir: s.dirs.keys})
	must(t, err)
	if err := g.Run(t.Context()); !errors.Is(err, gate.ErrPortTaken) {
		t.Errorf("got %v, want ErrPortTaken", err)
	}
}
