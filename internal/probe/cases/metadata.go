package cases

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

// wellKnown begins the path of protected resource metadata (RFC 9728 section 3.1).
const wellKnown = "/.well-known/oauth-protected-resource"

// metadata fetches the document as a client does that knows the resource, and then looks for its address where one that
// knows nothing does (RFC 9728 section 5.1).
func metadata(t probe.Target) plan.TestCase {
	return plan.TestCase{
		Case: probe.Metadata, Method: http.MethodGet, Expected: "200 with the metadata of the resource, and challenges that name it",
		Prepare: func(time.Time) (plan.Attempt, error) {
			return func(ctx context.Context, c *client.Client) client.Exchange {
				return findMetadata(ctx, c, *t.Policy.Metadata)
			}, nil
		},
	}
}

func findMetadata(ctx context.Context, c *client.Client, want probe.ResourceMetadata) client.Exchange {
	resource, err := url.Parse(want.Resource)
	if err != nil {
		return client.Exchange{Outcome: probe.NotTried, Answer: wire.Unsent(err)}
	}
	path := wellKnown + strings.TrimSuffix(resource.EscapedPath(), "/")
	out := c.Send(ctx, client.Request{Method: http.MethodGet, Path: path})
	if out.Outcome == probe.NotTried {
		return out
	}
	if out.Outcome = judge(want, out.Answer); out.Outcome != probe.Passed {
		return out
	}
	challenged := c.SendBad(ctx, client.Request{Message: &client.Message{Method: probe.MethodListTools, ID: c.ID()}}, expect.Unauthorized(probe.ReasonMissingToken))
	if challenged.Outcome == probe.Passed &&
		expect.Parameter(challenged.Answer.Header.Get("WWW-Authenticate"), "resource_metadata") != resource.Scheme+"://"+resource.Host+path {
		challenged.Outcome = probe.MissingChallenge
	}
	return challenged
}

// judge wants the document to be there and to say what it must. A client throws away one of another resource (RFC 9728
// section 3.3).
func judge(want probe.ResourceMetadata, a wire.Answer) probe.Outcome {
	var document struct {
		Resource             string   `json:"resource"`
		AuthorizationServers []string `json:"authorization_servers"`
	}
	switch outcome := a.Outcome(); {
	case outcome != probe.Passed:
		return outcome
	case a.Status == http.StatusTooManyRequests:
		return probe.Throttled
	case wire.IsUnavailable(a.Status):
		return probe.Unavailable
	case a.Status != http.StatusOK:
		return probe.WrongStatus
	case a.MediaType() != "application/json" || json.Unmarshal(a.Body, &document) != nil ||
		document.Resource != want.Resource || !slices.Equal(document.AuthorizationServers, want.AuthorizationServers):
		return probe.NoResult
	default:
		return probe.Passed
	}
}
