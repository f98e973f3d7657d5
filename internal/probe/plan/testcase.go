package plan

import (
	"context"
	"net/http"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
)

// TestCase is what must be refused, once.
type TestCase struct {
	Case      probe.Case
	Issuer    *Issuer // whose token is sent or spoilt; nil where none is
	Method    string
	Variation string
	Expected  string
	// Lacks says why it cannot be asked of this target; "" if it can.
	Lacks string
	// AfterControl: it can be asked only of a gate that has let the positive control in.
	AfterControl bool
	// Row: it is of the catalogue of forms; Heavy: of its heavy rows.
	Row, Heavy bool
	// Seed is that of its draws, if it failed before; Turn is that of a row.
	Seed, Turn uint64
	// Tools are those that the server had when it failed before.
	Tools []probe.Tool
	// Limits is how many time limits of a case it has; 0 is 1.
	Limits int
	// Profile is what it is asked in, where that is not the check's.
	Profile *client.Profile
	// Prepare mints what is needed, as of now.
	Prepare func(now time.Time) (Attempt, error)
}

// Attempt puts a test case to the target.
type Attempt func(context.Context, *client.Client) client.Exchange

// OneRequest makes a test case of one request.
func OneRequest(t probe.Target, name probe.Case, from *Issuer, want expect.Refusal, aim func(now time.Time) (client.Request, error)) TestCase {
	return TestCase{
		Case: name, Issuer: from, Method: http.MethodPost, Expected: want.Expected(t.Exact),
		Prepare: func(now time.Time) (Attempt, error) {
			s, err := aim(now)
			return func(ctx context.Context, c *client.Client) client.Exchange { return c.SendBad(ctx, s, want) }, err
		},
	}
}

// ProviderName is that of its issuer, "" without one.
func (q TestCase) ProviderName() string {
	if q.Issuer == nil {
		return ""
	}
	return q.Issuer.Name
}

// Label is the result of the test case before it is asked.
func (q TestCase) Label() probe.Result {
	return probe.Result{Case: q.Case, Provider: q.ProviderName(), Method: q.Method, Variation: q.Variation, Expected: q.Expected}
}

// Minted asks with a token that only the issuer's key can make.
func (p *Planner) Minted(name probe.Case, from *Issuer, want expect.Refusal, mint func(now time.Time) (string, error)) TestCase {
	q := OneRequest(p.Target, name, from, want, func(now time.Time) (client.Request, error) {
		bad, err := mint(now)
		return client.Request{}.Bearing(bad), err
	})
	if !from.Signs() {
		q.Lacks = LacksKey
	}
	return q
}

// Spoilt asks with the positive control, changed in a way that anybody can.
func (p *Planner) Spoilt(name probe.Case, from *Issuer, want expect.Refusal, spoil func(raw string) (string, error)) TestCase {
	return OneRequest(p.Target, name, from, want, func(now time.Time) (client.Request, error) {
		good, err := p.ControlAt(from, now)
		if err != nil {
			return client.Request{}, err
		}
		bad, err := spoil(good)
		return client.Request{}.Bearing(bad), err
	})
}
