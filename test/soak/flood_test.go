//go:build soak

package soak

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

const (
	badConnections = 500
	goodClients    = 50
	// floodPause is between the requests of a good client.
	floodPause = 100 * time.Millisecond
)

// Good clients that share their source with a flood are all served.
func TestFloodFromOneSource(t *testing.T) {
	costs := &table{title: fmt.Sprintf("Flood: %d connections of bad tokens beside %d good clients of the same source", badConnections, goodClients),
		rows: [][]any{{"source", "", "good requests", "not 200", "p50", "p99", "p99 to quiet", "bad requests", "401", "429", "memory at most, MiB"}}}
	for _, source := range []string{"loopback", "203.0.113.9"} {
		t.Run(source, func(t *testing.T) {
			f := newFlood(t, source)
			quiet := f.measure(lasting(30*time.Second)/3, 0)
			flooded := f.measure(lasting(30*time.Second), badConnections)
			costs.rows = append(costs.rows, quiet.row(source, "quiet", quiet), flooded.row(source, "flood", quiet))
			f.judge(quiet)
			f.judge(flooded)
			if flooded.bad["401"] == 0 {
				t.Errorf("there was no flood: %v", flooded.bad)
			}
		})
	}
	costs.write(t)
}

// flood is a gate with good clients and bad ones, whose source is a loopback address, such as is a mesh's proxy's, or one
// that a proxy tells.
type flood struct {
	t        *testing.T
	gate     *pod.Gate
	template token.Template
	source   string
}

func newFlood(t *testing.T, source string) *flood {
	t.Helper()
	f := &flood{t: t, gate: newGate(t, "gate", serve(t, echo)), template: newIssuer(t), source: source}
	if source != "loopback" {
		f.gate.Config.Limits.ClientIP = gateapi.ClientIP{TrustedProxies: []string{"127.0.0.0/8"}, Header: "X-Forwarded-For"}
	}
	f.gate.WriteConfig(t)
	f.gate.WriteKeys(t, providerName, f.template.Key.Public())
	f.gate.Start(t, "--audit", "off")
	return f
}

// load is what came of some time.
type load struct {
	mu        sync.Mutex
	took      []time.Duration
	good, bad map[string]int // by verdict
	memory    pod.Memory
}

func (l *load) note(into map[string]int, verdict string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	into[verdict]++
}

// measure has the good clients ask for a while, beside so many bad connections.
func (f *flood) measure(each time.Duration, bad int) *load {
	f.t.Helper()
	must(f.t, pod.ForgetPeak(f.gate.PID))
	l := &load{good: map[string]int{}, bad: map[string]int{}}
	flooding, calm := context.WithCancel(f.t.Context())
	var attackers, clients sync.WaitGroup
	for range bad {
		attackers.Go(func() { f.attack(flooding, l) })
	}
	ctx, cancel := context.WithTimeout(f.t.Context(), each)
	defer cancel()
	known := mint(f.t, f.template, "somebody")
	for i := range goodClients {
		clients.Go(func() { f.askInTime(ctx, l, known, i%2 == 0) })
	}
	clients.Wait()
	calm()
	attackers.Wait()
	var err error
	l.memory, err = pod.MemoryOf(f.gate.PID)
	must(f.t, err)
	slices.Sort(l.took)
	return l
}

// askInTime is a good client, with the known token or with one of its own each time.
func (f *flood) askInTime(ctx context.Context, l *load, known string, cached bool) {
	client := newCaller("http", f.gate.Config.Port, true)
	defer client.close()
	client.header.Set("X-Forwarded-For", f.source)
	tick := time.NewTicker(floodPause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		bearer, body := known, call("read")
		if !cached {
			bearer = mint(f.t, f.template, "somebody")
		}
		began := time.Now()
		got, err := client.post(context.WithoutCancel(ctx), bearer, body)
		took := time.Since(began)
		switch {
		case err != nil:
			got.verdict = err.Error()
		case got.verdict == accepted && got.body != body:
			got.verdict = "another's answer"
		}
		l.note(l.good, got.verdict)
		l.mu.Lock()
		l.took = append(l.took, took)
		l.mu.Unlock()
	}
}

// attack sends tokens with bad signatures on one connection, as quick as it is answered; of another when that is closed.
func (f *flood) attack(ctx context.Context, l *load) {
	good := mint(f.t, f.template, "somebody")
	cut := strings.LastIndexByte(good, '.') + 1
	forged := good[:cut] + strings.Repeat("A", len(good)-cut)
	body := call("read")
	request := fmt.Sprintf("POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: %s\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
		f.source, forged, len(body), body)
	for ctx.Err() == nil {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", pod.Loopback(f.gate.Config.Port))
		if err != nil {
			if ctx.Err() == nil {
				l.note(l.bad, err.Error())
			}
			return
		}
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		f.attackOn(conn, request, l)
		stop()
		conn.Close()
	}
}

func (f *flood) attackOn(conn net.Conn, request string, l *load) {
	reader := bufio.NewReader(conn)
	for {
		if _, err := io.WriteString(conn, request); err != nil {
			return
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return
		}
		_, err = io.Copy(io.Discard, response.Body)
		l.note(l.bad, fmt.Sprint(response.StatusCode))
		if err != nil {
			return
		}
	}
}

func (f *flood) judge(l *load) {
	f.t.Helper()
	if len(l.good) != 1 || l.good[accepted] == 0 {
		f.t.Errorf("good requests were answered %v", l.good)
	}
	for verdict := range l.bad {
		if verdict != "401" && (verdict != "429" || f.source == "loopback") {
			f.t.Errorf("bad requests were answered %v", l.bad)
		}
	}
}

func (l *load) at(share float64) time.Duration {
	if len(l.took) == 0 {
		return 0
	}
	return l.took[int(share*float64(len(l.took)-1))]
}

func (l *load) row(source, phase string, quiet *load) []any {
	total := func(counts map[string]int) (sum int) {
		for count := range maps.Values(counts) {
			sum += count
		}
		return sum
	}
	return []any{
		source, phase, total(l.good), total(l.good) - l.good[accepted], l.at(0.5), l.at(0.99),
		float64(l.at(0.99)) / max(1, float64(quiet.at(0.99))), total(l.bad), l.bad["401"], l.bad["429"], mebibytes(l.memory.Peak),
	}
}
