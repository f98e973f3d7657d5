package forms

import (
	"context"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
)

// testCase is the test case of a row in its turn.
func testCase(p *plan.Planner, one row, from *plan.Issuer, turn uint64) plan.TestCase {
	f := one.form
	want := one.defect.want(from)
	if f.want != nil {
		want = *f.want
	}
	aim := func(now time.Time) (client.Request, error) { return requestOf(p, one, from, turn, now) }
	q := plan.OneRequest(p.Target, probe.Varied, from, want, aim)
	q.Variation, q.Method, q.Limits = one.variation(), f.method(p.Target), f.limits
	q.Row, q.Turn = true, turn
	if f.ask != nil {
		q.Prepare = func(now time.Time) (plan.Attempt, error) {
			s, err := aim(now)
			return func(ctx context.Context, c *client.Client) client.Exchange { return f.ask(ctx, c, s, want) }, err
		}
	}
	if f.carries && !from.Signs() {
		q.Lacks = plan.LacksBearer
	}
	return q
}

// requestOf is the request of a row.
func requestOf(p *plan.Planner, one row, from *plan.Issuer, turn uint64, now time.Time) (client.Request, error) {
	good, err := p.ControlAt(from, now)
	if err != nil {
		return client.Request{}, err
	}
	draw := &draws{p.DrawFor(probe.Varied, from.Name, one.variation()), turn}
	var s client.Request
	if one.defect.make != nil {
		bad, err := one.defect.make(p, from, good, now, draw)
		if err != nil {
			return client.Request{}, err
		}
		s = s.Bearing(bad)
	}
	if one.form.change != nil {
		one.form.change(&s, p.Target, good)
	}
	if s.Message != nil && s.Message.ID != 0 {
		s.Message.ID = draw.Int64N(1<<31-1) + 1
	}
	return s, nil
}

// Named are the test cases of a row, of each issuer that it can be asked of.
func Named(p *plan.Planner, variation string, turn uint64) []plan.TestCase {
	var out []plan.TestCase
	for _, heavy := range []bool{false, true} {
		for one := range catalogueOf(p, heavy).rows() {
			if one.variation() != variation {
				continue
			}
			for _, from := range p.Issuers {
				if one.defect.fits(from) {
					out = append(out, testCase(p, one, from, turn))
				}
			}
		}
	}
	return out
}
