package forms

import (
	"net/http"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// defect is what is wrong with the token of a request of the catalogue of forms. A token that opens anything has a reserved
// subject. Those that look like a client's are worthless: all but one are forged, which a gate notices last, so that it
// names what else is wrong with them, and one that does not look says so. The one that is signed had expired when it was.
type defect struct {
	name string
	// anywhere: it is asked of servers, too, that are not our gate. presents: there is a token.
	anywhere, presents bool
	// reasons are those of the refusal; notOfIssuer where the probe key stands in for the issuer's.
	reasons []string
	// loose: under the probe key, and where nothing is known of the issuer's keys, the reasons are notOfIssuer.
	loose bool
	// signed: the issuer's own key makes it.
	signed bool
	make   func(p *plan.Planner, from *plan.Issuer, good string, now time.Time, draw *draws) (string, error)
}

const (
	noTokenDefect   = "no token"
	malformedDefect = "malformed token"
)

// ofClient is a forgery that looks like a client's token, with these claims changed.
func ofClient(name, reason string, changed func(now time.Time) map[string]any) defect {
	return defect{
		name: name, presents: true, anywhere: reason == probe.ReasonSignature, reasons: []string{reason},
		make: func(p *plan.Planner, from *plan.Issuer, good string, now time.Time, draw *draws) (string, error) {
			raw, err := asClients(from, good, now, draw)
			if err == nil && changed != nil {
				raw, err = token.Retold(raw, changed(now), nil)
			}
			if err != nil {
				return "", err
			}
			return forgeClients(p, from, raw)
		},
	}
}

// otherwise is a client's token that is spoilt in another way than by a claim.
func otherwise(name, reason string, loose bool, spoil func(p *plan.Planner, from *plan.Issuer, raw string, draw *draws) (string, error)) defect {
	return defect{
		name: name, presents: true, reasons: []string{reason}, loose: loose,
		make: func(p *plan.Planner, from *plan.Issuer, good string, now time.Time, draw *draws) (string, error) {
			raw, err := asClients(from, good, now, draw)
			if err != nil {
				return "", err
			}
			return spoil(p, from, raw, draw)
		},
	}
}

// spoilt is the positive control's token with something changed under its signature.
func spoilt(name string, spoil func(good string, draw *draws) (string, error)) defect {
	return defect{
		name: name, presents: true, reasons: []string{probe.ReasonSignature},
		make: func(_ *plan.Planner, _ *plan.Issuer, good string, _ time.Time, draw *draws) (string, error) {
			return spoil(good, draw)
		},
	}
}

// fits reports whether the defect can be had of the issuer.
func (d defect) fits(from *plan.Issuer) bool {
	switch {
	case d.signed:
		return from.Signs() && !from.ProbeKey && !from.Tokens.Key.Algorithm().Symmetric()
	case d.loose: // a key without a name is tried whatever the token names
		return !from.Signs() || !from.Tokens.Key.Public().Anonymous
	}
	return true
}

// want is the refusal that the token deserves.
func (d defect) want(from *plan.Issuer) expect.Refusal {
	if d.loose && (from.ProbeKey || !from.Signs()) {
		return expect.Unauthorized(plan.NotOfIssuer...)
	}
	return expect.Refusal{
		Status: http.StatusUnauthorized, Reasons: d.reasons, Challenge: map[bool]expect.Challenge{true: expect.InvalidToken, false: expect.Bare}[d.presents],
	}
}
