package probe

import (
	"context"
	"fmt"
)

// Ask puts one case that needs no token of anybody, NoToken or Malformed, to a target, and once more if it was let in;
// the Result is the last one, and Confirmed tells that it was let in both times. Nothing is sent that could open
// anything, so whoever answers may be unknown. Providers, Policy and Tier of the target are not looked at.
func (p *Prober) Ask(ctx context.Context, target Target, asked Case) (Result, error) {
	nobody, err := Stranger()
	if err != nil {
		return Result{}, err
	}
	target.Providers, target.Policy, target.Tier = []Provider{nobody}, Policy{}, Beat
	round, err := p.round(target)
	if err != nil {
		return Result{}, err
	}
	var q question
	switch asked {
	case NoToken:
		q = target.noToken()
	case Malformed:
		q = round.malformed()
	default:
		return Result{}, fmt.Errorf("ask %s: case %s needs a round", target.URL, asked)
	}
	if err := round.hire(); err != nil {
		return Result{}, err
	}
	attempt, err := q.prepare(round.started)
	if err != nil {
		return Result{}, err
	}
	try := func(ctx context.Context) finding { return attempt(ctx, round) }
	confirmed := round.ask(ctx, q.label(), try) == Accepted
	if confirmed { // what counts at once is asked twice
		confirmed = round.ask(ctx, q.label(), try) == Accepted
	}
	result := round.results[len(round.results)-1]
	result.Confirmed = confirmed
	return result, nil
}
