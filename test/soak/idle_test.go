//go:build soak

package soak

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

// mostWaiting is how many connections a gate leaves open that wait for a request (gate, connections.go); the one that has
// waited longest makes room for the next.
const mostWaiting = 8192

// However many connections come and stay idle, the gate holds a bounded number, and serves whoever comes next.
func TestIdleConnections(t *testing.T) {
	raiseFileLimit(t, uint64(*connections)+2000)
	costs := &table{title: "Idle connections, each after a good request", rows: [][]any{{
		"", "opened", "held", "closed to make room", "memory before, MiB", "with them", "at most", "KiB for each held",
	}}}
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			gate := newGate(t, "gate", serve(t, echo))
			gate.Config.TLS = scheme == "https"
			gate.WriteConfig(t)
			issuer := newIssuer(t)
			gate.WriteKeys(t, providerName, issuer.Key.Public())
			gate.MountCertificate(t)
			gate.Start(t, "--audit", "off")
			before, err := pod.MemoryOf(gate.PID)
			must(t, err)

			idle := openIdle(t, gate, mint(t, issuer, "somebody"))
			pod.Eventually(t, "the gate closes what is too many", func() bool { return idle.held() <= mostWaiting })
			held := idle.held()
			newcomer := newCaller(scheme, gate.Config.Port, false)
			body := call("read")
			if got, err := newcomer.post(t.Context(), mint(t, issuer, "somebody"), body); err != nil || got.verdict != accepted || got.body != body {
				t.Errorf("a newcomer gets %s, %v", got.verdict, err)
			}
			after, err := pod.MemoryOf(gate.PID)
			must(t, err)
			// Those that were closed last are not the ones that came last.
			if held < min(mostWaiting, *connections)*9/10 {
				t.Errorf("the gate holds %d connections only", held)
			}
			costs.rows = append(costs.rows, []any{
				scheme, *connections, held, *connections - held, mebibytes(before.Now), mebibytes(after.Now), mebibytes(after.Peak),
				float64(after.Now-before.Now) / 1024 / float64(max(1, held)),
			})
		})
	}
	costs.write(t)
}

// idlers are connections on which nothing happens any more.
type idlers struct {
	opened int
	closed atomic.Int64 // by the gate
}

func (i *idlers) held() int { return i.opened - int(i.closed.Load()) }

// openIdle opens connections, a few at a time, and asks once on each.
func openIdle(t *testing.T, gate *pod.Gate, bearer string) *idlers {
	t.Helper()
	const atOnce = 32
	idle, places := &idlers{opened: *connections}, make(chan struct{}, atOnce)
	var pending sync.WaitGroup
	for range *connections {
		places <- struct{}{}
		pending.Go(func() {
			defer func() { <-places }()
			conn, reader, err := askOnce(t, gate, bearer)
			if err != nil {
				t.Errorf("a connection that is opened: %v", err)
				return
			}
			t.Cleanup(func() { conn.Close() })
			go func() {
				_, _ = reader.ReadByte()
				idle.closed.Add(1)
			}()
		})
	}
	pending.Wait()
	return idle
}

func askOnce(t *testing.T, gate *pod.Gate, bearer string) (net.Conn, *bufio.Reader, error) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", pod.Loopback(gate.Config.Port))
	if err != nil {
		return nil, nil, err
	}
	if gate.Config.TLS {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	body := call("read")
	if _, err := fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
		bearer, len(body), body); err != nil {
		return nil, nil, err
	}
	reader := bufio.NewReaderSize(conn, 1<<10)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return nil, nil, err
	}
	raw, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || string(raw) != body) {
		err = fmt.Errorf("got %d %s", response.StatusCode, raw)
	}
	return conn, reader, err
}

// raiseFileLimit lets this process, and the gates that it starts, have so many files open.
func raiseFileLimit(t *testing.T, files uint64) {
	t.Helper()
	var limit syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	limit.Cur, limit.Max = max(limit.Cur, files), max(limit.Max, files)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatalf("%d open files are needed: %v: raise the limit (ulimit -n), or ask for fewer with SOAK_CONNECTIONS", files, err)
	}
}
