package probe

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// extraPathsPerRound are asked of all, in turn.
const extraPathsPerRound = 2

// pathQuestions are about what a gate serves beside its path, and how.
func (r *round) pathQuestions(good func(Case, refusal, shot) question) []question {
	var all []question
	policy := r.target.Policy
	for _, path := range inTurn(r, policy.ExtraPaths, extraPathsPerRound) {
		s := shot{method: http.MethodGet, path: path}
		q := r.target.asks(ExtraPath, nil, unauthorized(reasonMissingToken), func(time.Time) (shot, error) { return s, nil })
		q.method, q.variation = s.method, s.path
		all = append(all, q)
	}
	if path := r.target.path(); policy.Slash == SlashDistinct && !strings.HasSuffix(path, "/") {
		all = append(all, good(TrailingSlash, refused(http.StatusNotFound, "unknown_path"), shot{path: path + "/"}))
	}
	if strings.HasPrefix(r.target.URL, "https:") {
		all = append(all, r.target.plainHTTP())
	}
	if policy.Metadata != nil {
		all = append(all, r.target.metadata())
	}
	return all
}

// plainHTTP speaks to a gate without the TLS that it serves. The answer of a TLS server to that is a bare 400, or none.
func (t Target) plainHTTP() question {
	return question{
		name: PlainHTTP, method: http.MethodPost, expected: "400 without a reason, or no HTTP",
		prepare: func(time.Time) (attempt, error) {
			return func(ctx context.Context, r *round) finding {
				ready, err := r.build(ctx, shot{})
				if err != nil {
					return finding{outcome: NotTried, answer: unsent(err)}
				}
				ready.request.URL.Scheme = "http"
				out := finding{answer: r.send(ready.request, ready.id), step: ready.step, id: ready.id, method: http.MethodPost}
				out.outcome = judgePlain(out.answer)
				return out
			}, nil
		},
	}
}

// judgePlain wants nothing that speaks HTTP to have judged the request.
func judgePlain(a answer) Outcome {
	switch outcome := a.outcome(); {
	case isSuccess(a.status):
		return Accepted
	case outcome == Reset || outcome == ClosedWithoutAnswer || outcome == NotHTTP || outcome == TLS:
		return Passed
	case outcome != Passed:
		return outcome
	case a.status == http.StatusBadRequest && a.reason() == "":
		return Passed
	default:
		return WrongStatus
	}
}

// wellKnown begins the path of protected resource metadata (RFC 9728 section 3.1).
const wellKnown = "/.well-known/oauth-protected-resource"

// metadata fetches the document as a client does that knows the resource, and then looks for its address where one that
// knows nothing does (RFC 9728 section 5.1).
func (t Target) metadata() question {
	return question{
		name: Metadata, method: http.MethodGet, expected: "200 with the metadata of the resource, and challenges that name it",
		prepare: func(time.Time) (attempt, error) {
			return func(ctx context.Context, r *round) finding { return findMetadata(ctx, r, *t.Policy.Metadata) }, nil
		},
	}
}

func findMetadata(ctx context.Context, r *round, want ResourceMetadata) finding {
	resource, err := url.Parse(want.Resource)
	if err != nil {
		return finding{outcome: NotTried, answer: unsent(err)}
	}
	path := wellKnown + strings.TrimSuffix(resource.EscapedPath(), "/")
	out := r.fire(ctx, shot{method: http.MethodGet, path: path})
	if out.outcome == NotTried {
		return out
	}
	if out.outcome = want.judge(out.answer); out.outcome != Passed {
		return out
	}
	challenged := r.refusal(ctx, shot{call: &call{method: "tools/list", id: r.id()}}, unauthorized(reasonMissingToken))
	if challenged.outcome == Passed &&
		parameter(challenged.answer.header.Get("WWW-Authenticate"), "resource_metadata") != resource.Scheme+"://"+resource.Host+path {
		challenged.outcome = MissingChallenge
	}
	return challenged
}

// judge wants the document to be there and to say what it must. A client throws away one of another resource (RFC 9728
// section 3.3).
func (want ResourceMetadata) judge(a answer) Outcome {
	var document struct {
		Resource             string   `json:"resource"`
		AuthorizationServers []string `json:"authorization_servers"`
	}
	switch outcome := a.outcome(); {
	case outcome != Passed:
		return outcome
	case a.status == http.StatusTooManyRequests:
		return Throttled
	case isUnavailable(a.status):
		return Unavailable
	case a.status != http.StatusOK:
		return WrongStatus
	case a.mediaType() != "application/json" || json.Unmarshal(a.body, &document) != nil ||
		document.Resource != want.Resource || !slices.Equal(document.AuthorizationServers, want.AuthorizationServers):
		return NoResult
	default:
		return Passed
	}
}
