package cases

import (
	"context"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// flippedSignature: a gate that remembers the tokens it has let in must not know them by less than all of their bytes.
func flippedSignature(p *plan.Planner, from *plan.Issuer) plan.TestCase {
	want, bit := expect.Unauthorized(probe.ReasonSignature), p.DrawFor(probe.FlippedSignature, from.Name).Uint64()
	q := plan.OneRequest(p.Target, probe.FlippedSignature, from, want, nil)
	q.AfterControl = true
	q.Prepare = func(now time.Time) (plan.Attempt, error) {
		good, err := p.ControlAt(from, now)
		if err != nil {
			return nil, err
		}
		bad, err := token.Flipped(good, bit)
		return func(ctx context.Context, c *client.Client) client.Exchange {
			if good != from.Control { // which was let in at the check's beginning
				if out := c.Open(ctx, from.Name, good); out.Outcome != probe.Passed {
					out.Outcome = expect.Precondition(out.Outcome, out.Answer.Status)
					return out
				}
			}
			return c.SendBad(ctx, client.Request{}.Bearing(bad), want)
		}, err
	}
	return q
}

// WrongKey forges the positive control, under the real key's name.
func WrongKey(p *plan.Planner, from *plan.Issuer) plan.TestCase {
	return p.Spoilt(probe.WrongKey, from, expect.Unauthorized(probe.ReasonSignature), p.Forge)
}

// forgeries are made in the name of keys whose private half is elsewhere.
func forgeries(p *plan.Planner, from *plan.Issuer) []plan.TestCase {
	var all []plan.TestCase
	for _, victim := range from.Public[:min(len(from.Public), maxVictims)] {
		if victim.Algorithm == "" || victim.Algorithm.Symmetric() {
			continue
		}
		q := p.Spoilt(probe.WrongKey, from, expect.Unauthorized(probe.ReasonSignature), func(raw string) (string, error) {
			unknown, err := p.UnknownKey(victim.Algorithm)
			if err != nil {
				return "", err
			}
			return token.ForgedFor(raw, victim, unknown)
		})
		q.Variation = "in the name of key " + victim.ID
		all = append(all, q)
	}
	return all
}

// maxVictims bounds the public keys of an issuer in whose name something is tried.
const maxVictims = 4

// retired signs with keys that were in force once.
func retired(p *plan.Planner, from *plan.Issuer) []plan.TestCase {
	var all []plan.TestCase
	for _, key := range from.Retired {
		q := signedWith(p, probe.RetiredKey, from, key)
		q.Variation = "key " + key.ID()
		all = append(all, q)
	}
	return all
}

// borrowed signs with keys that are in force for the other issuers, under their names. A key that is in force for this one,
// too, does not count.
func borrowed(p *plan.Planner, from *plan.Issuer) []plan.TestCase {
	var all []plan.TestCase
	for _, other := range p.Issuers {
		if other == from || !other.Signs() || other.Tokens.Key.ID() == from.Tokens.Key.ID() {
			continue
		}
		q := signedWith(p, probe.WrongKey, from, other.Tokens.Key)
		q.Variation = "key of provider " + other.Name
		all = append(all, q)
	}
	return all
}

// signedWith asks with the positive control, signed with a key that is not this issuer's. One without a name is tried against
// those in force.
func signedWith(p *plan.Planner, name probe.Case, from *plan.Issuer, key keys.Private) plan.TestCase {
	want := expect.Unauthorized(probe.ReasonUnknownKey)
	if key.Public().Anonymous {
		want.Reasons = []string{probe.ReasonSignature, probe.ReasonUnknownKey}
	}
	if from.ProbeKey && name == probe.WrongKey {
		want.Reasons = plan.NotOfIssuer
	} else if key.Algorithm() != from.Tokens.Key.Algorithm() {
		want.Reasons = append(want.Reasons, probe.ReasonAlgorithm)
	}
	return p.Minted(name, from, want, func(now time.Time) (string, error) {
		template := from.Tokens
		template.Key = key
		return template.Good(now)
	})
}
