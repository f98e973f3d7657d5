package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// result is what a load came to.
type result struct {
	Requests int     `json:"requests"`
	Seconds  float64 `json:"seconds"`
	P50      float64 `json:"p50_us"`
	P99      float64 `json:"p99_us"`
}

// load asks again and again on a number of connections, and prints a result. It is a process of its own, so that it does
// not count for anybody else.
func load(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	l := loader{}
	flags.StringVar(&l.address, "address", "", "whom to ask")
	connections := flags.Int("connections", 1, "on how many connections")
	each := flags.Duration("each", time.Second, "for how long, at most")
	accept := flags.String("accept", "application/json, text/event-stream", "the Accept header")
	tokens := flags.String("tokens", "", "file with a bearer token in each line; used in turn")
	flags.BoolVar(&l.once, "once", false, "use each token once, and end with the last")
	_ = flags.Parse(args) // ExitOnError.
	if err := l.prepare(*accept, *tokens); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *each)
	defer cancel()
	out, err := l.run(ctx, *connections)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

type loader struct {
	address  string
	requests [][]byte // used in turn
	once     bool
	next     atomic.Int64
}

func (l *loader) prepare(accept, tokens string) error {
	lines := []string{""}
	if tokens != "" {
		raw, err := os.ReadFile(tokens)
		if err != nil {
			return err
		}
		lines = strings.Fields(string(raw))
	}
	const body = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`
	for _, token := range lines {
		credentials := ""
		if token != "" {
			credentials = "Authorization: Bearer " + token + "\r\n"
		}
		l.requests = append(l.requests, fmt.Appendf(nil, "POST /mcp HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAccept: %s\r\n"+
			"User-Agent: bench\r\nMcp-Protocol-Version: 2025-11-25\r\n%sContent-Length: %d\r\n\r\n%s",
			l.address, accept, credentials, len(body), body))
	}
	return nil
}

func (l *loader) run(ctx context.Context, connections int) (result, error) {
	var (
		group  sync.WaitGroup
		mu     sync.Mutex
		took   []time.Duration
		failed []error
	)
	began := time.Now()
	for range connections {
		group.Go(func() {
			times, err := l.work(ctx)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, times...)
			failed = append(failed, err)
		})
	}
	group.Wait()
	seconds := time.Since(began).Seconds()
	if err := errors.Join(failed...); err != nil {
		return result{}, err
	}
	if len(took) == 0 {
		return result{}, errors.New("nobody was asked in time")
	}
	slices.Sort(took)
	at := func(share float64) float64 { return float64(took[int(share*float64(len(took)-1))].Microseconds()) }
	return result{Requests: len(took), Seconds: seconds, P50: at(0.5), P99: at(0.99)}, nil
}

// work asks on one connection until the context ends. Anything but 200 is an error.
func (l *loader) work(ctx context.Context) ([]time.Duration, error) {
	// A machine may stall; that is no reason to have measured nothing.
	conn, err := (&net.Dialer{Timeout: startLimit}).DialContext(context.WithoutCancel(ctx), "tcp", l.address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	took := []time.Duration{}
	for ctx.Err() == nil {
		n := l.next.Add(1) - 1
		if l.once && n >= int64(len(l.requests)) {
			break
		}
		began := time.Now()
		if _, err := conn.Write(l.requests[n%int64(len(l.requests))]); err != nil {
			return nil, err
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if err != nil {
			return nil, err
		}
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("an answer has status %s", response.Status)
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}
