package attack

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// TestFlood: a client behind an address from which bad tokens came learns why its own is refused, and what to do. What costs
// no signature is always answered with its own refusal, and a good token gets in.
func TestFlood(t *testing.T) {
	t.Parallel()
	const attacker = "X-Forwarded-For: 203.0.113.9"
	s := newSite(t, func(c *gateapi.Config) {
		c.Limits.FailuresPerSecond, c.Limits.FailureBurst = 1, 10
		c.Limits.ClientIP = gateapi.ClientIP{TrustedProxies: []string{"127.0.0.0/8"}, Header: "X-Forwarded-For"}
	})
	flood := attack{line: "H6", name: "300 forgeries from one address", slow: true}
	for i := range 300 {
		flood.raw += post(s.mint(forgedBy(s.issuers.stranger), setClaim("jti", fmt.Sprint(i))), ping, attacker)
		flood.answers = append(flood.answers, refuse("bad_signature"))
	}
	s.try(t, []attack{flood})

	yesterday, tomorrow := s.now.AddDate(0, 0, -1).Unix(), s.now.AddDate(0, 0, 1).Unix()
	var table []attack
	for reason, bearer := range map[string]string{
		"expired": s.mint(setClaim("iat", yesterday-60), setClaim("exp", yesterday)), "not_yet_valid": s.mint(setClaim("nbf", tomorrow)), "wrong_audience": s.mint(setClaim("aud", "urn:another")),
		"wrong_issuer": s.mint(setClaim("iss", "https://another.example")), "unknown_key": s.mint(by(s.issuers.stranger)), "wrong_type": s.mint(setHead("typ", "JWT")),
		"missing_claim": s.mint(noClaim("exp")), "malformed_token": "x.y.z", "missing_token": "",
	} {
		table = append(table, attack{line: "H6", name: "behind them, " + strings.ReplaceAll(reason, "_", " "), raw: post(bearer, ping, attacker), answers: one(refuse(reason))})
	}
	table = append(table, attack{line: "H6", name: "behind them, a good token", raw: post(s.mint(), ping, attacker), answers: one(serve())})
	s.try(t, table)
}
