package probe

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// question is what must be refused, once.
type question struct {
	name      Case
	provider  *issuer // whose token is sent or spoilt; nil where none is
	method    string
	variation string
	expected  string
	// lacks says why it cannot be asked of this target; "" if it can.
	lacks string
	// afterControl: it can be asked only of a gate that has let the control in.
	afterControl bool
	// row: it is of the catalogue of forms; heavy: of its heavy rows.
	row, heavy bool
	// seed is that of its draws, if it failed before; turn is that of a row.
	seed, turn uint64
	// tools are those that the server had when it failed before.
	tools []tool
	// limits is how many time limits of a case it has; 0 is 1.
	limits int
	// disguise is what it is asked in, where that is not the round's.
	disguise *disguise
	// prepare mints what is needed, as of now.
	prepare func(now time.Time) (attempt, error)
}

// attempt puts a question to the target.
type attempt func(context.Context, *round) finding

// asks makes a question of one shot.
func (t Target) asks(name Case, from *issuer, want refusal, aim func(now time.Time) (shot, error)) question {
	return question{
		name: name, provider: from, method: http.MethodPost, expected: want.expected(t.Exact),
		prepare: func(now time.Time) (attempt, error) {
			s, err := aim(now)
			return func(ctx context.Context, r *round) finding { return r.refusal(ctx, s, want) }, err
		},
	}
}

// issuer is a Provider at work.
type issuer struct {
	Provider
	// control is its token of this round.
	control string
}

// signs tells whether tokens can be minted, or only be spoilt.
func (i *issuer) signs() bool { return i.Tokens.Key.Algorithm() != "" }

// mint gives a token that must be let in.
func (i *issuer) mint(now time.Time) (string, error) {
	if !i.signs() {
		return i.Bearer, nil
	}
	return i.Tokens.Good(now)
}

const (
	lacksKey    = "there is no key to sign such a token with"
	lacksBearer = "the token is not the prober's own, so it is not put into a URL"
	lacksJWT    = "the token is no JWT, so nothing in it can be changed"
)

// lacking explains a token that could not be spoilt.
func lackingOf(err error) string {
	if errors.Is(err, token.ErrOpaque) {
		return lacksJWT
	}
	return ""
}

// questions are all that a round of the tier asks between the controls, but for the variations.
func (r *round) questions() []question {
	t := r.target
	if t.Tier == Beat && !r.everything {
		beat := []question{t.noToken(), r.malformed()}
		if rows := r.variations(); r.takesRow() && len(rows) > 0 {
			return append(beat, rows...)
		}
		return append(beat, r.wrongKey(r.issuers[0]))
	}
	all := []question{t.noToken(), t.empty(), t.wrongScheme(r.issuers[0]), r.malformed(), t.queryToken(r.issuers[0])}
	for _, from := range r.issuers {
		all = append(all, r.tokenQuestions(from)...)
	}
	all = append(all, r.replayed()...)
	for i, from := range r.issuers {
		all = append(all, t.missingScopes(from, i == 0)...)
	}
	all = append(all, r.guarded(r.issuers[0])...)
	all = append(all, t.forbiddenCalls(r.issuers[0])...)
	for _, from := range r.issuers {
		all = append(all, r.reservedCalls(from)...)
	}
	all = append(all, t.foreignSessions(r.issuers)...)
	all = append(all, t.oneConnection(r.issuers[0]))
	all = append(all, r.requestQuestions()...)
	return slices.DeleteFunc(all, func(q question) bool { return !t.Exact && q.ofGate() })
}

// ofGate tells what no standard asks of every MCP server. Whose tokens have no issuer or no audience, expects nobody to
// look at them.
func (q question) ofGate() bool {
	switch q.name {
	case WrongIssuer:
		return q.provider.Tokens.Issuer == ""
	case WrongAudience:
		return q.provider.Tokens.Audience == "" && len(q.provider.Required) == 0
	case WrongType:
		return q.variation != "" || q.name.info().Exact // No standard has a payload that tells kinds apart.
	default:
		return q.name.info().Exact
	}
}

func (t Target) noToken() question {
	return t.asks(NoToken, nil, unauthorized(reasonMissingToken), func(time.Time) (shot, error) { return shot{}, nil })
}

func (t Target) empty() question {
	return t.asks(Empty, nil, unauthorized(reasonMalformed), func(time.Time) (shot, error) {
		return shot{authorization: []string{"Bearer "}}, nil
	})
}

func (t Target) wrongScheme(from *issuer) question {
	return t.asks(WrongScheme, from, unauthorized(reasonMissingToken), func(now time.Time) (shot, error) {
		good, err := from.mint(now)
		return shot{authorization: []string{"Basic " + good}}, err
	})
}

func (r *round) malformed() question {
	return r.target.asks(Malformed, nil, unauthorized(reasonMalformed), func(time.Time) (shot, error) {
		return shot{}.bearing(r.noJWT()), nil
	})
}

func (t Target) queryToken(from *issuer) question {
	q := t.asks(QueryToken, from, unauthorized(reasonMissingToken), func(now time.Time) (shot, error) {
		good, err := from.mint(now)
		return shot{query: "access_token=" + good}, err
	})
	if !from.signs() {
		q.lacks = lacksBearer
	}
	return q
}

// replayed are the tokens of earlier rounds, if their life has passed.
func (r *round) replayed() []question {
	var all []question
	for _, from := range r.issuers {
		q := r.target.asks(Replayed, from, unauthorized("expired"), nil)
		q.lacks = "no token of an earlier round has expired yet"
		if spent := r.target.Replay.of(from.Name); spent != nil && !r.started.Before(spent.ends) {
			q.lacks = ""
			q.prepare = r.target.asks(Replayed, from, unauthorized("expired"), func(time.Time) (shot, error) {
				return shot{}.bearing(spent.bearer), nil
			}).prepare
		}
		if from.signs() {
			all = append(all, q)
		}
	}
	return all
}
