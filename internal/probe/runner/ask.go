package runner

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/cases"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

// Ask puts one case that needs no token of anybody, NoToken or Malformed, to a target, and once more if it was let in;
// the Result is the last one, and Confirmed tells that it was let in both times. Nothing is sent that could open
// anything, so whoever answers may be unknown. Providers, Policy and Tier of the target are not looked at.
func (p *Prober) Ask(ctx context.Context, target probe.Target, asked probe.Case) (probe.Result, error) {
	nobody, err := UnauthenticatedProvider()
	if err != nil {
		return probe.Result{}, err
	}
	target.Providers, target.Policy, target.Tier = []probe.Provider{nobody}, probe.Policy{}, probe.Quick
	r, err := p.begin(target)
	if err != nil {
		return probe.Result{}, err
	}
	var q plan.TestCase
	switch asked {
	case probe.NoToken:
		q = cases.NoToken(target)
	case probe.Malformed:
		q = cases.Malformed(r.Planner)
	default:
		return probe.Result{}, fmt.Errorf("ask %s: case %s needs a round", target.URL, asked)
	}
	if err := r.SelectIssuers(); err != nil {
		return probe.Result{}, err
	}
	r.client.Bearer = r.Issuers[0].Control
	attempt, err := q.Prepare(r.Started)
	if err != nil {
		return probe.Result{}, err
	}
	try := func(ctx context.Context) client.Exchange { return attempt(ctx, r.client) }
	confirmed := r.ask(ctx, q.Label(), try) == probe.Accepted
	if confirmed { // what counts at once is asked twice
		confirmed = r.ask(ctx, q.Label(), try) == probe.Accepted
	}
	result := r.results[len(r.results)-1]
	result.Confirmed = confirmed
	return result, nil
}

// Recognize asks the target once, without a token, and reports whether the answer bears the mark of Gatehouse's own gate:
// then it can be held against all that the gate promises (Target.Exact). A target that does not answer is not recognized.
// The error is for a target that makes no sense.
func (p *Prober) Recognize(ctx context.Context, target probe.Target) (bool, error) {
	r, err := p.begin(target)
	if err != nil {
		return false, err
	}
	target = r.Target
	ctx, cancel := context.WithTimeout(ctx, target.Timeout)
	defer cancel()
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.URL, strings.NewReader(ping))
	if err != nil {
		return false, fmt.Errorf("probe target: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	transport := &http.Transport{
		DialContext: p.dial, DisableKeepAlives: true, MaxResponseHeaderBytes: wire.MaxHeaderBytes,
		TLSClientConfig: wire.TLSConfig(target.RootCAs, target.CertificateSHA256),
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return false, nil // The check tells why there is no answer.
	}
	defer func() { _ = response.Body.Close() }()
	return probe.IsReason(response.Header.Get(probe.ReasonHeader)), nil
}
