package forms

import (
	"context"
	"sync"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

const (
	// earlierRequests come on a connection before the one that matters. They have no token, which no gate counts as a failure.
	earlierRequests = 59
	// lastOfManyLimits is how many time limits of a case they have in all.
	lastOfManyLimits = 6
	// concurrentRequests is how many requests are made at a time.
	concurrentRequests = 16
)

// lastOfMany puts the request as the last of many requests on one connection, of which each must be refused.
func lastOfMany(ctx context.Context, c *client.Client, s client.Request, want expect.Refusal) client.Exchange {
	kept := c.Sender.Keep()
	defer kept.Close()
	ask := func(s client.Request, want expect.Refusal) client.Exchange {
		limited, cancel := context.WithTimeout(ctx, c.Target.Timeout)
		defer cancel()
		return c.SendOn(limited, kept, s, &want)
	}
	for range earlierRequests {
		out := ask(client.Request{Message: &client.Message{Method: probe.MethodPing, ID: c.ID()}}, expect.Unauthorized(probe.ReasonMissingToken))
		switch {
		case ctx.Err() != nil:
			return client.Skipped(tooSlow)
		case out.Outcome != probe.Passed:
			return out
		case kept.Severed():
			return client.Skipped(client.Severed)
		}
	}
	return ask(s, want)
}

// tooSlow says that a gate answers, and not fast enough for so many requests.
const tooSlow = "so many requests took longer than there is time for"

// concurrent puts the request many times at once, each on a connection of its own. The worst answer counts.
func concurrent(ctx context.Context, c *client.Client, s client.Request, want expect.Refusal) client.Exchange {
	all := make([]client.Prepared, concurrentRequests)
	for i := range all {
		var err error
		if all[i], err = c.Build(ctx, s); err != nil {
			return client.Exchange{Outcome: probe.NotTried, Answer: wire.Unsent(err)}
		}
	}
	c.Extra += concurrentRequests - 1
	answers := make([]wire.Answer, concurrentRequests)
	var sending sync.WaitGroup
	for i, ready := range all {
		sending.Go(func() { answers[i] = ready.Send(ready.Request, ready.ID) })
	}
	sending.Wait()
	var worst client.Exchange
	for i, ready := range all {
		out := client.Exchange{Answer: answers[i], Step: ready.Step, ID: ready.ID, Method: s.HTTPMethod()}
		out.Outcome = want.Judge(out.Answer, out.ID, c.Target.Exact, s.Sent())
		c.CloseIfOpened(ctx, s, out)
		if i == 0 || worst.Outcome == probe.Passed || out.Outcome == probe.Accepted && worst.Outcome != probe.Accepted {
			worst = out
		}
	}
	return worst
}
