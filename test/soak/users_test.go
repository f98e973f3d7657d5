//go:build soak

package soak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

const (
	goodPause = 20 * time.Millisecond // between the requests of one client
	goodEach  = 2                     // clients, each with a connection of its own, for each kind of token
	patience  = time.Minute           // for an answer: beside an attack, on a shared machine
)

// goodAlgorithms are those of the tokens of good clients.
var goodAlgorithms = []keys.Algorithm{keys.RS256, keys.ES256}

// users ask beside an attack: some with a token that the gate knows, some with another one for each request.
type users struct {
	t       *testing.T
	scheme  string
	port    int32
	issuers map[keys.Algorithm]token.Template
	streams []*userStream
	// again: who asks on a connection that is closed before an answer begins asks once more, as HTTP clients do with what is
	// safe to repeat (RFC 9112 section 9.3.1). They are counted.
	again      bool
	askedAgain atomic.Int64
}

// answered is what good clients got in some time.
type answered struct {
	mu       sync.Mutex
	verdicts map[string]int
	took     []time.Duration
}

func (a *answered) note(verdict string, took time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.verdicts[verdict]++
	a.took = append(a.took, took)
}

// bad counts the requests that were not answered 200 with what was asked for.
func (a *answered) bad() int { return len(a.took) - a.verdicts[accepted] }

func (a *answered) p99() time.Duration {
	if len(a.took) == 0 {
		return 0
	}
	slices.Sort(a.took)
	return a.took[(len(a.took)-1)*99/100]
}

// open opens a stream for each kind of key, which stays open.
func (u *users) open() {
	u.t.Helper()
	for _, algorithm := range goodAlgorithms {
		subject := "listener-" + string(algorithm)
		s, err := listen(u.t.Context(), newCaller(u.scheme, u.port, true), question{bearer: mint(u.t, u.issuers[algorithm], subject), sub: subject})
		must(u.t, err)
		u.t.Cleanup(s.stop)
		u.streams = append(u.streams, s)
	}
}

// broken counts the streams that have ended, or that got something else than their own events.
func (u *users) broken() (count int) {
	for _, s := range u.streams {
		ended := s.isOver()
		s.stop()
		<-s.over
		if ended || s.problem != "" {
			count++
		}
	}
	return count
}

// ask has all clients ask for a while.
func (u *users) ask(ctx context.Context, each time.Duration) *answered {
	got := &answered{verdicts: map[string]int{}}
	ctx, cancel := context.WithTimeout(ctx, each)
	defer cancel()
	var clients sync.WaitGroup
	for _, algorithm := range goodAlgorithms {
		for i := range 2 * goodEach {
			client := newCaller(u.scheme, u.port, true)
			if i < goodEach { // With TLS, half of them over HTTP/2.
				client.preferHTTP2()
			}
			clients.Go(func() { u.askInTime(ctx, got, client, u.issuers[algorithm], i%2 == 0) })
		}
	}
	clients.Wait()
	return got
}

func (u *users) askInTime(ctx context.Context, got *answered, client *caller, template token.Template, known bool) {
	defer client.close()
	tick := time.NewTicker(goodPause)
	defer tick.Stop()
	bearer := mintFor(u.t, template, "client")
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !known {
			bearer = mintFor(u.t, template, "client")
		}
		got.note(u.askOnce(client, bearer))
	}
}

// askOnce lists the tools. No answer within patience is a broken request.
func (u *users) askOnce(client *caller, bearer string) (verdict string, took time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	body, began := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/list"}`, asked.Add(1)), time.Now()
	got, err := client.post(ctx, bearer, body)
	if u.again && errors.Is(err, io.EOF) {
		u.askedAgain.Add(1)
		got, err = client.post(ctx, bearer, body)
	}
	took = time.Since(began)
	switch {
	case err != nil:
		return broken(err), took
	case got.verdict == accepted && got.body != body:
		return "another's answer", took
	default:
		return got.verdict, took
	}
}

// mintFor is mint for any goroutine: a token that cannot be made is none, and fails the test.
func mintFor(t *testing.T, template token.Template, subject string) string {
	t.Helper()
	template.Subject = subject
	raw, err := template.Good(time.Now())
	if err != nil {
		t.Error(err)
	}
	return raw
}
