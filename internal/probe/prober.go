package probe

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Options are what a Prober takes from its surroundings. The zero value is the real world.
type Options struct {
	// Now tells the time that tokens are minted at; default time.Now.
	Now func() time.Time
	// Random draws the seeds of rounds; default math/rand/v2. It needs no cryptographic strength, and must be safe for
	// concurrent use.
	Random func() uint64
	// Dial opens connections; default net.Dialer without keep-alive.
	Dial DialFunc
}

// Prober tries gates. It keeps nothing of a round but the keys that it forges with, and is safe for concurrent use.
type Prober struct {
	now    func() time.Time
	random func() uint64
	dial   DialFunc

	mu        sync.Mutex
	strangers map[keys.Algorithm]keys.Private
}

// New makes a Prober.
func New(options Options) *Prober {
	p := &Prober{
		now: options.Now, random: options.Random, dial: options.Dial, strangers: map[keys.Algorithm]keys.Private{},
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

// Run puts one round of cases to the target. It takes at most two Timeouts of silence and then gives up on the rest;
// canceling ctx ends it early. What happened, including that nothing answered, is in the Report; the error is for a
// round that could not begin: a target that makes no sense, or a key that signs nothing.
func (p *Prober) Run(ctx context.Context, target Target) (Report, error) {
	round, err := p.round(target)
	if err != nil {
		return Report{}, err
	}
	if err := round.run(ctx); err != nil {
		return Report{}, fmt.Errorf("probe %s: %w", target.URL, err)
	}
	return round.report(), nil
}

func (p *Prober) round(target Target) (*round, error) {
	if target.Tier == "" {
		target.Tier = Full
	}
	if err := target.validate(); err != nil {
		return nil, fmt.Errorf("probe target: %w", err)
	}
	seed := target.Seed
	if seed == 0 {
		seed = p.Seed()
	}
	target.Policy.Absent = cmp.Or(target.Policy.Absent, AbsentName(seed))
	r := &round{prober: p, target: target, started: p.now(), seed: seed}
	r.draw = rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // to be repeated, not to be unguessable
	r.disguise = disguiseOf(seed)
	r.begin(target.Turn)
	return r, nil
}

// Seed draws one for a Target.
func (p *Prober) Seed() uint64 { return p.random()%maxSeed + 1 }

// maxSeed keeps drawn seeds exact for every reader of JSON (RFC 8259 section 6).
const maxSeed = 1<<53 - 1

// stranger is a key of the algorithm that no gate has ever seen. Making one can take a second, so it is kept.
func (p *Prober) stranger(algorithm keys.Algorithm) (keys.Private, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if key, known := p.strangers[algorithm]; known {
		return key, nil
	}
	key, err := keys.Generate(algorithm)
	if err != nil {
		return keys.Private{}, err
	}
	p.strangers[algorithm] = key
	return key, nil
}
