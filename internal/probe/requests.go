package probe

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// largeBody is more than a gate keeps of a body to look at.
const largeBody = 100 << 10

// requestQuestions are about what surrounds a token.
func (r *round) requestQuestions() []question {
	t := r.target
	var all []question
	for _, drawn := range inTurn(r, r.issuers, 1) {
		all = append(all, r.forgedQuestions(drawn)...)
	}
	good := func(name Case, want refusal, s shot) question {
		return t.asks(name, r.issuers[0], want, func(now time.Time) (shot, error) {
			bearer, err := r.controlAt(r.issuers[0], now)
			return s.bearing(bearer), err
		})
	}
	stranger := fmt.Sprintf("%x.example", r.drawFor(WrongHost).Uint32())
	if t.Policy.Hosts {
		all = append(all, good(WrongHost, refused(http.StatusMisdirectedRequest, "wrong_host"), shot{host: stranger}))
	}
	if t.Policy.Origins {
		all = append(all, good(WrongOrigin, refused(http.StatusForbidden, "wrong_origin"), shot{origin: "https://" + stranger}))
	}
	if t.Policy.BodyBytes > 0 {
		all = append(all, good(TooLarge, refused(http.StatusRequestEntityTooLarge, "body_too_large"),
			shot{padding: t.Policy.BodyBytes + 1, expecting: true}))
	}
	return append(all, r.pathQuestions(good)...)
}

// forgedQuestions are about what surrounds a forged token of one issuer.
func (r *round) forgedQuestions(drawn *issuer) []question {
	forged := func(name Case, s shot) question {
		q := r.target.asks(name, drawn, unauthorized(reasonSignature), func(now time.Time) (shot, error) {
			good, err := r.controlAt(drawn, now)
			if err != nil {
				return shot{}, err
			}
			bad, err := r.forge(good)
			return s.bearing(bad), err
		})
		q.method = s.httpMethod()
		return q
	}
	all := []question{
		forged(LargeBody, shot{padding: largeBody, chunked: true}),
		forged(ByGet, shot{method: http.MethodGet}),
		r.byDelete(drawn),
	}
	if path := r.target.path(); r.target.Policy.Slash == SlashSame && !strings.HasSuffix(path, "/") {
		all = append(all, forged(TrailingSlash, shot{path: path + "/"}))
	}
	return all
}

// byDelete asks to end a session of the control. Whatever the gate answers, it has shown the server what it refuses if the
// session ends.
func (r *round) byDelete(from *issuer) question {
	want := unauthorized(reasonSignature)
	q := r.target.asks(ByDelete, from, want, nil)
	q.method, q.expected = http.MethodDelete, q.expected+", and that the session lives on"
	q.prepare = func(now time.Time) (attempt, error) {
		owner, err := r.controlAt(from, now)
		if err != nil {
			return nil, err
		}
		bad, err := r.forge(owner)
		return func(ctx context.Context, r *round) finding { return endSession(ctx, r, owner, bad, want) }, err
	}
	return q
}

// endSession opens a session as its owner, where the server has any, and tries to end it with a bad token.
func endSession(ctx context.Context, r *round, owner, bad string, want refusal) finding {
	opened, _ := r.openOnce(ctx, owner)
	session := opened.session()
	if session != "" {
		defer r.closeSession(ctx, shot{}.bearing(owner), session)
	}
	out := r.refusal(ctx, shot{method: http.MethodDelete, session: session}.bearing(bad), want)
	if session == "" || out.outcome != Passed {
		return out
	}
	after := r.fire(ctx, shot{call: &call{method: "tools/list", id: r.id()}, session: session}.bearing(owner))
	if after.answer.status == http.StatusNotFound && after.answer.reason() == "" {
		after.outcome = Accepted
		return after
	}
	return out
}

// forbiddenCalls do no harm should the gate be open: they come outside of any session and without arguments.
func (t Target) forbiddenCalls(from *issuer) []question {
	var all []question
	for _, forbidden := range t.Policy.Forbidden {
		want := refused(http.StatusForbidden, "forbidden")
		if len(forbidden.Scopes) > 0 {
			want = lacking(forbidden.Scopes)
		}
		q := t.asks(ForbiddenCall, from, want, nil)
		q.variation = t.Policy.label(forbidden.Method, forbidden.Name)
		q.prepare = func(now time.Time) (attempt, error) {
			good, err := from.mint(now)
			return func(ctx context.Context, r *round) finding {
				return r.refusal(ctx, shot{call: forbidden.message(r.id())}.bearing(good), want)
			}, err
		}
		all = append(all, q)
	}
	return all
}

// message is the call as it would be made, but for its arguments.
func (c Call) message(id int64) *call { return &call{method: c.Method, params: c.Params(), id: id} }

// Params are those of the message by which the call is tried: what it names, and no arguments.
func (c Call) Params() map[string]any {
	params := map[string]any{}
	if strings.HasPrefix(c.Method, "resources/") && c.Name != "" {
		params["uri"] = c.Name
	} else if c.Name != "" {
		params["name"] = c.Name
	}
	return params
}

func (t Target) oneConnection(from *issuer) question {
	return question{
		name: OneConnection, provider: from, method: http.MethodPost, afterControl: true,
		expected: "200, 401, 200, 401 on one connection",
		prepare: func(now time.Time) (attempt, error) {
			good, err := from.mint(now)
			return func(ctx context.Context, r *round) finding { return oneConnection(ctx, r, good) }, err
		},
	}
}

// foreignSessions tries the session of each issuer's control that has another caller.
func (t Target) foreignSessions(issuers []*issuer) []question {
	var all []question
	for _, from := range issuers {
		if !t.Policy.SessionBinding {
			continue
		}
		q := question{
			name: ForeignSession, provider: from, method: http.MethodPost, afterControl: true,
			expected: "404 for another caller and 401 for nobody",
			prepare: func(now time.Time) (attempt, error) {
				owner, err := from.mint(now)
				if err != nil || !from.signs() {
					return nil, err
				}
				other, err := from.Tokens.With(from.OtherCaller).Good(now)
				return func(ctx context.Context, r *round) finding { return foreignSession(ctx, r, owner, other) }, err
			},
		}
		switch {
		case len(from.OtherCaller) == 0:
			q.lacks = "there is no other caller to play"
		case !from.signs():
			q.lacks = lacksKey
		}
		all = append(all, q)
	}
	return all
}

// foreignSession opens a session as its owner, and lists the tools in it as somebody else and as nobody.
func foreignSession(ctx context.Context, r *round, owner, other string) finding {
	opened, _ := r.openOnce(ctx, owner)
	session := opened.session()
	if session != "" {
		defer r.closeSession(ctx, shot{}.bearing(owner), session)
	}
	if opened.outcome != Passed {
		opened.outcome = asPrecondition(opened.outcome, opened.answer.status)
		return opened
	}
	if session == "" {
		return skipped("the server opens no sessions")
	}
	list := func() *call { return &call{method: "tools/list", id: r.id()} }
	out := r.refusal(ctx, shot{call: list(), session: session}.bearing(other), refused(http.StatusNotFound, "unknown_session"))
	if out.outcome != Passed {
		return out
	}
	return r.refusal(ctx, shot{call: list(), session: session}, unauthorized(reasonMissingToken))
}
