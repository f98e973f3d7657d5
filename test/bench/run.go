package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// bench holds what runs.
type bench struct {
	plan      benchPlan
	dir       string
	processes []*process
	server    *target
	issuers   map[keys.Algorithm]*tokenIssuer
	tokens    map[string]string // files that were written
	leftOut   []string
	gate      *target // the last gate that was started
	rows      []row
}

// benchCase is a row of the table: whom to ask, with what.
type benchCase struct {
	name   string
	start  func(context.Context) (*target, error)
	issuer *tokenIssuer // nil: without a token
	// fresh: every request has a token that was never seen, and the process is started anew for each round.
	fresh  bool
	stream bool
	target *target
}

// freshTokens is how many requests a case with new tokens has in each round, at most.
const freshTokens = 12000

// warmUp is longer than it takes the gate to find out whether it may reuse connections to the server.
const warmUp = "1500ms"

func (b *bench) run(ctx context.Context) error {
	cases, err := b.cases(ctx)
	if err != nil {
		return err
	}
	if cases, err = b.startCases(ctx, cases); err != nil {
		return err
	}
	for _, connections := range b.plan.connections {
		for round := range b.plan.rounds {
			for _, c := range cases {
				fmt.Fprintf(os.Stderr, "\r%-60s", fmt.Sprintf("%d connections, round %d of %d: %s", connections, round+1, b.plan.rounds, c.name))
				if err := b.measure(ctx, c, connections); err != nil {
					return fmt.Errorf("%s with %d connections: %w", c.name, connections, err)
				}
			}
			compare(b.rows[len(b.rows)-len(cases):])
		}
	}
	fmt.Fprintf(os.Stderr, "\r%-60s\r", "")
	return b.report(ctx)
}

// cases lists all, in the order of the table.
func (b *bench) cases(ctx context.Context) ([]*benchCase, error) {
	var err error
	if b.server, err = b.startServer(ctx); err != nil {
		return nil, err
	}
	direct := func(context.Context) (*target, error) { return b.server, nil }
	all := []*benchCase{{name: "direct", start: direct}, {name: "reverseproxy", start: b.startReverseProxy}}
	b.issuers, b.tokens = map[keys.Algorithm]*tokenIssuer{}, map[string]string{}
	algorithms := []keys.Algorithm{keys.RS256, keys.ES256, keys.EdDSA, keys.HS256}
	for _, algorithm := range algorithms {
		i, err := newIssuer(algorithm)
		if err != nil {
			return nil, err
		}
		b.issuers[algorithm] = i
		start := func(ctx context.Context) (*target, error) { return b.startGate(ctx, i) }
		name := "gatehouse-" + strings.ToLower(string(algorithm))
		all = append(all, &benchCase{name: name + "-warm", issuer: i, start: start}, &benchCase{name: name + "-new", issuer: i, start: start, fresh: true})
	}
	if b.plan.haproxy == "" {
		b.leftOut = append(b.leftOut, "haproxy-*: HAProxy is not installed (apt-get install haproxy)")
	} else {
		for _, algorithm := range algorithms[:2] {
			i := b.issuers[algorithm]
			all = append(all, &benchCase{
				name: "haproxy-" + strings.ToLower(string(algorithm)), issuer: i,
				start: func(ctx context.Context) (*target, error) { return b.startHAProxy(ctx, i) },
			})
		}
	}
	for _, c := range all {
		if !c.fresh {
			all = append(all, &benchCase{name: c.name + "-sse", start: c.start, issuer: c.issuer, stream: true})
		}
	}
	return all, nil
}

// startCases starts what the cases need, and asks each for a first time: who has a bad token or none must be refused.
func (b *bench) startCases(ctx context.Context, all []*benchCase) (cases []*benchCase, err error) {
	running := map[string]*target{}
	for _, c := range all {
		if !b.plan.pattern.MatchString(c.name) {
			continue
		}
		jsonCase := strings.TrimSuffix(c.name, "-sse")
		if c.target = running[jsonCase]; c.target == nil {
			c.target, err = c.start(ctx)
		}
		if err == nil {
			running[jsonCase] = c.target
			err = b.trySanity(ctx, c)
		}
		if err != nil {
			b.leftOut = append(b.leftOut, c.name+": "+err.Error())
			continue
		}
		if strings.HasPrefix(c.name, "gatehouse-") {
			b.gate = c.target
		}
		cases = append(cases, c)
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("no case can be measured: %s", strings.Join(b.leftOut, "; "))
	}
	return cases, nil
}

func (b *bench) trySanity(ctx context.Context, c *benchCase) error {
	tokens := map[string]int{"": http.StatusOK}
	if c.issuer != nil {
		good, err := c.issuer.Good(time.Now())
		if err != nil {
			return err
		}
		tokens = map[string]int{"": http.StatusUnauthorized, good[:len(good)-6] + "AAAAAA": http.StatusUnauthorized, good: http.StatusOK}
	}
	for token, want := range tokens {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.target.address+"/mcp", strings.NewReader("{}"))
		if err != nil {
			return err
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		response.Body.Close()
		if response.StatusCode != want {
			return fmt.Errorf("a request with a token of %d characters gets %d, not %d", len(token), response.StatusCode, want)
		}
	}
	return nil
}

// measure loads one case for a while and adds a row.
func (b *bench) measure(ctx context.Context, c *benchCase, connections int) error {
	args := []string{"load", "-address", c.target.address, "-connections", strconv.Itoa(connections)}
	if c.stream {
		args = append(args, "-accept", "text/event-stream")
	}
	if c.fresh {
		c.target.process.stop()
		var err error
		if c.target, err = c.start(ctx); err != nil {
			return err
		}
		args[2] = c.target.address
	}
	// Connections, buffers and caches are there before it counts.
	asked, err := b.withTokens(args, c.issuer, 1)
	if err != nil {
		return err
	}
	if _, err := runLoad(ctx, append(asked, "-each", warmUp)); err != nil {
		return err
	}
	if c.fresh {
		asked, err = b.withTokens(append(args, "-once"), c.issuer, freshTokens)
	}
	if err != nil {
		return err
	}
	before, err := c.target.process.cpu()
	if err != nil {
		return err
	}
	got, err := runLoad(ctx, append(asked, "-each", b.plan.each.String()))
	if err != nil {
		return err
	}
	after, err := c.target.process.cpu()
	if err != nil {
		return err
	}
	memory, err := c.target.process.memory()
	b.rows = append(b.rows, row{
		Case: c.name, Connections: connections, RequestsPerSecond: float64(got.Requests) / got.Seconds,
		CPU: float64((after - before).Microseconds()) / float64(got.Requests), P50: got.P50, P99: got.P99, RSS: memory,
	})
	return err
}

// withTokens adds a file of so many tokens to the arguments of a load; an issuer of nil has none.
func (b *bench) withTokens(args []string, i *tokenIssuer, count int) ([]string, error) {
	if i == nil {
		return args, nil
	}
	name, err := b.tokensOf(i, count)
	return append(slices.Clone(args), "-tokens", name), err
}

func (b *bench) tokensOf(i *tokenIssuer, count int) (string, error) {
	key := fmt.Sprint(i.Key.Algorithm(), count)
	if name, there := b.tokens[key]; there {
		return name, nil
	}
	name, err := b.tokenFile(i, count)
	b.tokens[key] = name
	return name, err
}

func runLoad(ctx context.Context, args []string) (result, error) {
	self, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	out, err := commandOutput(ctx, self, args...)
	if err != nil {
		return result{}, err
	}
	var got result
	err = json.Unmarshal([]byte(out), &got)
	return got, err
}

func commandOutput(ctx context.Context, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var problems strings.Builder
	command := exec.CommandContext(ctx, program, args...)
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(problems.String()))
	}
	return string(out), nil
}

func (b *bench) stopAll() {
	for _, p := range b.processes {
		p.stop()
	}
}
