package probe

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// Recognize asks the target once, without a token, and says whether the answer bears the mark of Gatehouse's own gate:
// then it can be held against all that the gate promises (Target.Exact). A target that does not answer is not recognized.
// The error is for a target that makes no sense.
func (p *Prober) Recognize(ctx context.Context, target Target) (bool, error) {
	round, err := p.round(target)
	if err != nil {
		return false, err
	}
	target = round.target
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
		DialContext: p.dial, DisableKeepAlives: true, MaxResponseHeaderBytes: maxHeaderBytes,
		TLSClientConfig: target.tls(),
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return false, nil // The round tells why there is no answer.
	}
	defer func() { _ = response.Body.Close() }()
	return reasons[response.Header.Get(reasonHeader)], nil
}
