package probe

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"time"
)

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
