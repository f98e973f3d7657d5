package cases

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
)

// largeBody is more than a gate keeps of a body to look at.
const largeBody = 100 << 10

// requestCases are about what surrounds a token.
func requestCases(p *plan.Planner) []plan.TestCase {
	t := p.Target
	var all []plan.TestCase
	for _, drawn := range plan.InTurn(p, p.Issuers, 1) {
		all = append(all, forgedRequests(p, drawn)...)
	}
	good := func(name probe.Case, want expect.Refusal, s client.Request) plan.TestCase {
		return plan.OneRequest(t, name, p.Issuers[0], want, func(now time.Time) (client.Request, error) {
			bearer, err := p.ControlAt(p.Issuers[0], now)
			return s.Bearing(bearer), err
		})
	}
	otherHost := fmt.Sprintf("%x.example", p.DrawFor(probe.WrongHost).Uint32())
	if t.Policy.Hosts {
		all = append(all, good(probe.WrongHost, expect.Refused(http.StatusMisdirectedRequest, "wrong_host"), client.Request{Host: otherHost}))
	}
	if t.Policy.Origins {
		all = append(all, good(probe.WrongOrigin, expect.Refused(http.StatusForbidden, "wrong_origin"), client.Request{Origin: "https://" + otherHost}))
	}
	if t.Policy.BodyBytes > 0 {
		all = append(all, good(probe.TooLarge, expect.Refused(http.StatusRequestEntityTooLarge, "body_too_large"),
			client.Request{Padding: t.Policy.BodyBytes + 1, Expecting: true}))
	}
	return append(all, pathCases(p, good)...)
}

// forgedRequests are about what surrounds a forged token of one issuer.
func forgedRequests(p *plan.Planner, drawn *plan.Issuer) []plan.TestCase {
	forged := func(name probe.Case, s client.Request) plan.TestCase {
		q := plan.OneRequest(p.Target, name, drawn, expect.Unauthorized(probe.ReasonSignature), func(now time.Time) (client.Request, error) {
			good, err := p.ControlAt(drawn, now)
			if err != nil {
				return client.Request{}, err
			}
			bad, err := p.Forge(good)
			return s.Bearing(bad), err
		})
		q.Method = s.HTTPMethod()
		return q
	}
	all := []plan.TestCase{
		forged(probe.LargeBody, client.Request{Padding: largeBody, Chunked: true}),
		forged(probe.ByGet, client.Request{Method: http.MethodGet}),
		byDelete(p, drawn),
	}
	if path := p.Target.Path(); p.Target.Policy.Slash == probe.SlashSame && !strings.HasSuffix(path, "/") {
		all = append(all, forged(probe.TrailingSlash, client.Request{Path: path + "/"}))
	}
	return all
}
