package cases

import (
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
)

// NoToken carries no token.
func NoToken(t probe.Target) plan.TestCase {
	return plan.OneRequest(t, probe.NoToken, nil, expect.Unauthorized(probe.ReasonMissingToken), func(time.Time) (client.Request, error) { return client.Request{}, nil })
}

func empty(t probe.Target) plan.TestCase {
	return plan.OneRequest(t, probe.Empty, nil, expect.Unauthorized(probe.ReasonMalformed), func(time.Time) (client.Request, error) {
		return client.Request{Authorization: []string{"Bearer "}}, nil
	})
}

func wrongScheme(t probe.Target, from *plan.Issuer) plan.TestCase {
	return plan.OneRequest(t, probe.WrongScheme, from, expect.Unauthorized(probe.ReasonMissingToken), func(now time.Time) (client.Request, error) {
		good, err := from.Mint(now)
		return client.Request{Authorization: []string{"Basic " + good}}, err
	})
}

// Malformed carries a bearer that is no JWT.
func Malformed(p *plan.Planner) plan.TestCase {
	return plan.OneRequest(p.Target, probe.Malformed, nil, expect.Unauthorized(probe.ReasonMalformed), func(time.Time) (client.Request, error) {
		return client.Request{}.Bearing(plan.NoJWT(p.Seed)), nil
	})
}

func queryToken(t probe.Target, from *plan.Issuer) plan.TestCase {
	q := plan.OneRequest(t, probe.QueryToken, from, expect.Unauthorized(probe.ReasonMissingToken), func(now time.Time) (client.Request, error) {
		good, err := from.Mint(now)
		return client.Request{Query: "access_token=" + good}, err
	})
	if !from.Signs() {
		q.Lacks = plan.LacksBearer
	}
	return q
}
