package runner

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

// Options are what a Prober takes from its surroundings. The zero value is the real world.
type Options struct {
	// Now tells the time that tokens are minted at; default time.Now.
	Now func() time.Time
	// Random draws the seeds of checks; default math/rand/v2. It needs no cryptographic strength, and must be safe for
	// concurrent use.
	Random func() uint64
	// Dial opens connections; default net.Dialer without keep-alive.
	Dial wire.DialFunc
}

// Prober tries gates. It keeps nothing of a check but the keys that it forges with, and is safe for concurrent use.
type Prober struct {
	now    func() time.Time
	random func() uint64
	dial   wire.DialFunc

	mu          sync.Mutex
	unknownKeys map[keys.Algorithm]keys.Private
}

// New makes a Prober.
func New(options Options) *Prober {
	p := &Prober{
		now: options.Now, random: options.Random, dial: options.Dial, unknownKeys: map[keys.Algorithm]keys.Private{},
	}
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

// Run puts one check of cases to the target. It takes at most two Timeouts of silence and then gives up on the rest;
// canceling ctx ends it early. What happened, including that nothing answered, is in the Report; the error is for a
// check that could not begin: a target that makes no sense, or a key that signs nothing.
func (p *Prober) Run(ctx context.Context, target probe.Target) (probe.Report, error) {
	r, err := p.begin(target)
	if err != nil {
		return probe.Report{}, err
	}
	if err := r.run(ctx); err != nil {
		return probe.Report{}, fmt.Errorf("probe %s: %w", target.URL, err)
	}
	return r.report(), nil
}

// begin makes the check of a target.
func (p *Prober) begin(target probe.Target) (*check, error) {
	if target.Tier == "" {
		target.Tier = probe.Full
	}
	if err := target.Validate(); err != nil {
		return nil, fmt.Errorf("probe target: %w", err)
	}
	seed := target.Seed
	if seed == 0 {
		seed = p.Seed()
	}
	target.Policy.Absent = cmp.Or(target.Policy.Absent, probe.AbsentName(seed))
	draw := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // to be repeated, not to be unguessable
	now := p.now()
	r := &check{now: p.now, Planner: &plan.Planner{
		Target: target, Started: now, Draw: draw, Seed: seed, UnknownKey: p.unknownKey,
	}}
	r.Begin(target.Turn)
	r.client = client.New(target, p.sender(target), seed, draw)
	return r, nil
}

func (p *Prober) sender(target probe.Target) *wire.Sender {
	return &wire.Sender{Dial: p.dial, Now: p.now, TLS: wire.TLSConfig(target.RootCAs, target.CertificateSHA256), Timeout: target.Timeout}
}

// Seed draws one for a Target.
func (p *Prober) Seed() uint64 { return p.random()%maxSeed + 1 }

// maxSeed keeps drawn seeds exact for every reader of JSON (RFC 8259 section 6).
const maxSeed = 1<<53 - 1

// unknownKey is a key of the algorithm that no gate has ever seen. Making one can take a second, so it is kept.
func (p *Prober) unknownKey(algorithm keys.Algorithm) (keys.Private, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if key, known := p.unknownKeys[algorithm]; known {
		return key, nil
	}
	key, err := keys.Generate(algorithm)
	if err != nil {
		return keys.Private{}, err
	}
	p.unknownKeys[algorithm] = key
	return key, nil
}
