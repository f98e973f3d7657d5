package gate_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream/bareserver"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// asking has the gate ask the bare server once, and keep what came of it in a folder.
func asking(dir string) siteOption {
	return func(s *site, o *gate.Options) {
		s.config.Upstream.BareServer = gateapi.BareServerOnce
		s.writeConfig()
		o.RunDir = dir
	}
}

func (s *site) bareServer() bareserver.Result {
	s.t.Helper()
	state, err := s.state(podUID)
	must(s.t, err)
	return state.BareServer
}

// questions counts what a server is asked, and answers 401.
func questions(asked *atomic.Int32) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// The question comes before the gate has clients, and once in the life of a pod, however often its gate starts.
func TestBareServerIsAskedOnce(t *testing.T) {
	var asked atomic.Int32
	mayAnswer := make(chan struct{})
	release := sync.OnceFunc(func() { close(mayAnswer) })
	defer release()
	server, dir := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		<-mayAnswer
		questions(&asked)(w, r)
	}), t.TempDir()
	first := newSite(t, server, asking(dir))
	first.eventually("the gate waits for the answer", func() bool {
		got := first.adminGet("/readyz")
		return got.status == 503 && got.body == "the server is being asked what it does without the gate\n"
	})
	release()
	first.eventually("ready", func() bool { return first.adminGet("/readyz").status == 200 })
	if got := first.bareServer(); got != bareserver.Refuses || asked.Load() != 2 {
		t.Errorf("got %s after %d questions", got, asked.Load())
	}
	first.stop()
	second := newSite(t, server, asking(dir))
	second.eventually("ready", func() bool { return second.adminGet("/readyz").status == 200 })
	if got := second.bareServer(); got != bareserver.Refuses || asked.Load() != 2 {
		t.Errorf("the next gate of the pod: %s after %d questions in all", got, asked.Load())
	}
}

func TestBareServerIsNotAsked(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "not-there")
	for name, options := range map[string][]siteOption{
		"by default":                         nil,
		"where it could not be written down": {asking(blocked)},
	} {
		var asked atomic.Int32
		s := newSite(t, serveHTTP(t, questions(&asked)), options...)
		s.eventually("ready", func() bool { return s.adminGet("/readyz").status == 200 })
		if got := s.bareServer(); got != bareserver.NotAsked || asked.Load() != 0 {
			t.Errorf("%s: got %s after %d questions", name, got, asked.Load())
		}
	}
}

// Neither a server that never is well nor one that never answers keeps the gate from being ready for long.
func TestBareServerHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		health http.HandlerFunc
		want   bareserver.Result
	}{
		"never well":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, bareserver.NotAsked},
		"never answers": {func(http.ResponseWriter, *http.Request) {}, bareserver.Unclear}, // It may yet turn out to hang.
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			s := prepareSite(t, serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/health":
					c.health(w, r)
				case r.Method != http.MethodPost:
					http.NotFound(w, r)
				default:
					asked.Add(1)
					<-r.Context().Done()
				}
			}))
			s.config.Upstream.HealthPath = "/health"
			s.start(asking(t.TempDir()))
			s.eventually("ready", func() bool { return s.adminGet("/readyz").status == 200 })
			if c.want == bareserver.NotAsked {
				if got := s.bareServer(); got != c.want || asked.Load() != 0 {
					t.Errorf("got %s after %d questions", got, asked.Load())
				}
				return
			}
			s.eventually("that is known", func() bool { return s.bareServer() == bareserver.Hangs })
			if asked.Load() != 1 {
				t.Errorf("it was asked %d times", asked.Load())
			}
		})
	}
}

// A server that answers, and then is gone, has exited.
func TestBareServerExits(t *testing.T) {
	listener := listen(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					return // It is only looked at.
				}
				_, _ = fmt.Fprint(conn, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				listener.Close()
			}()
		}
	}()
	dir := t.TempDir()
	s := prepareSite(t, listener.Addr())
	s.start(asking(dir))
	s.eventually("it is seen to be gone", func() bool { return s.bareServer() == bareserver.Exits })
	if known, err := os.ReadFile(filepath.Join(dir, gateapi.BareServerFile)); err != nil || string(known) != "Exits" {
		t.Errorf("written down: %q, %v", known, err)
	}
}

// Twenty starts of each healthy server, as many at once as there are cores and more, say nothing false: neither when the
// gate becomes ready nor when it is done with the question.
func TestHealthyBareServersStartTwentyTimes(t *testing.T) {
	in := `{"jsonrpc":"2.0","id":1,"result":{}}`
	for name, c := range map[string]struct {
		none, bad int
		want      bareserver.Result
	}{
		"validates tokens, as Quilt 0.14": {401, 403, bareserver.Refuses},
		"takes any token, as Quilt 0.21":  {401, 200, bareserver.AnyBearer},
		"open":                            {200, 200, bareserver.Open},
		"hidden behind a path":            {404, 404, bareserver.Unclear},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 20 {
				t.Run("start", func(t *testing.T) {
					t.Parallel()
					s := newSite(t, serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
						code := c.none
						if r.Header.Get("Authorization") != "" {
							code = c.bad
						}
						w.WriteHeader(code)
						_, _ = w.Write([]byte(in))
					}), asking(t.TempDir()))
					s.eventually("ready", func() bool { return s.adminGet("/readyz").status == 200 })
					s.eventually("all is known", func() bool { return strings.Contains(s.log.String(), `"bareServer":"`) })
					if got := s.bareServer(); got != c.want {
						t.Errorf("got %s, want %s", got, c.want)
					}
				})
			}
		})
	}
}

// It is told, and decides nothing.
func TestOpenBareServerIsBehindTheSameGate(t *testing.T) {
	s := newSite(t, serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":1,"result":{}}`))
	}), asking(t.TempDir()))
	s.eventually("ready", func() bool { return s.adminGet("/readyz").status == 200 })
	if got := s.bareServer(); got != bareserver.Open {
		t.Errorf("got %s", got)
	}
	s.eventually("that is logged", func() bool { return strings.Contains(s.log.String(), `"bareServer":"Open"`) })
	if got := s.post(""); got.status != 401 {
		t.Errorf("got %d", got.status)
	}
}
