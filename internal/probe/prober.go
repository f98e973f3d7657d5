package probe

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// Target is one gate to try.
type Target struct {
	// URL is the MCP endpoint: http(s)://host[:port]/path, without credentials, query or fragment.
	URL string
	// Tokens is the template of the control; every bad token is spoilt from it.
	Tokens token.Template
	// Exact asks for the answers of Gatehouse's own gate: 401, one Bearer challenge, a JSON-RPC error that names the
	// one thing that is wrong. Without it 401 and 403 count as a refusal, whatever they say.
	Exact bool
	// Timeout bounds each case as a whole, from the connection attempt to the last byte that matters. It must be
	// positive.
	Timeout time.Duration
	// ClockTolerance is the leeway that the gate grants on times. A larger difference between its clock and the
	// prober's makes the verdict ClockSkew. Less than 2 s is taken as 2 s.
	ClockTolerance time.Duration
}

// Options are what a Prober takes from its surroundings. The zero value is the real world.
type Options struct {
	// Now tells the time that tokens are minted at; default time.Now.
	Now func() time.Time
	// Random draws numbers for what no two probes may have in common; default math/rand/v2. It needs no
	// cryptographic strength, and must be safe for concurrent use.
	Random func() uint64
	// Dial opens connections; default net.Dialer without keep-alive.
	Dial DialFunc
}

// Prober tries gates. It keeps nothing between rounds and is safe for concurrent use.
type Prober struct {
	now    func() time.Time
	random func() uint64
	dial   DialFunc
}

// New makes a Prober.
func New(options Options) *Prober {
	p := &Prober{now: options.Now, random: options.Random, dial: options.Dial}
	if p.now == nil {
		p.now = time.Now
	}
	if p.random == nil {
		p.random = rand.Uint64
	}
	if p.dial == nil {
		p.dial = (&net.Dialer{KeepAlive: -1}).DialContext
	}
	return p
}

// Run puts one round of cases to the target. It takes at most two Timeouts of silence and then gives up on the rest;
// canceling ctx ends it early. What happened, including that nothing answered, is in the Report; the error is for a
// round that could not begin: a target that makes no sense, or a key that signs nothing.
func (p *Prober) Run(ctx context.Context, target Target) (Report, error) {
	if err := target.validate(); err != nil {
		return Report{}, fmt.Errorf("probe target: %w", err)
	}
	round := &round{prober: p, target: target, started: p.now()}
	round.disguise = disguises[p.random()%uint64(len(disguises))]
	if err := round.run(ctx); err != nil {
		return Report{}, fmt.Errorf("probe %s: %w", target.URL, err)
	}
	return round.report(), nil
}

// validate does not quote a URL that is wrong: credentials or a token may stand in it.
func (t Target) validate() error {
	parsed, err := url.Parse(t.URL)
	switch {
	case err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https"):
		return errors.New("the URL is not http(s)://host[:port]/path")
	case parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "":
		return errors.New("the URL must not have credentials, a query or a fragment")
	case t.Timeout <= 0:
		return errors.New("the timeout must be positive")
	}
	return nil
}
