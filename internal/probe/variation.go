package probe

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// variationsPerRound are drawn of all for each full round.
const variationsPerRound = 4

// variation is an unusual form of a request that must be refused all the same.
type variation struct {
	name string
	// anywhere: it is asked of servers, too, that are not our gate.
	anywhere bool
	// presents: it makes no sense without a token.
	presents bool
	// spoil, if set, makes the token of the control; else a forged, a malformed or no token is drawn.
	spoil func(raw string, bit uint64) (string, error)
	// change makes the form. good is the control's token.
	change func(s *shot, target Target, good string)
	// want, if set, is what is due in place of the refusal that the token deserves.
	want *refusal
}

// Variations lists the names of all forms that a round may draw.
func Variations() []string {
	var names []string
	for _, v := range variations {
		names = append(names, v.name)
	}
	return names
}

var (
	ambiguous = &refusal{status: http.StatusBadRequest, reasons: []string{"ambiguous_header"}, challenge: invalidRequest}
	badTarget = ptr(refused(http.StatusBadRequest, "bad_target"))
	malformed = ptr(unauthorized(reasonMalformed))
)

var variations = slices.Concat(headerVariations, bodyVariations, methodVariations, messageVariations, tokenVariations, pathVariations)

var headerVariations = []variation{
	{name: "scheme in lower case", presents: true, change: scheme("bearer ")},
	{name: "scheme in upper case", presents: true, change: scheme("BEARER ")},
	{name: "three spaces after the scheme", presents: true, change: scheme("Bearer   ")},
	{name: "tab after the scheme", presents: true, change: scheme("Bearer\t"), want: malformed},
	{name: "header name in lower case", presents: true, change: func(s *shot, _ Target, _ string) { s.spelled = "authorization" }},
	{name: "two tokens, the good one first", presents: true, want: ambiguous, change: func(s *shot, _ Target, good string) {
		s.authorization = append([]string{"Bearer " + good}, s.authorization...)
	}},
	{name: "two tokens, the good one last", presents: true, want: ambiguous, change: func(s *shot, _ Target, good string) {
		s.authorization = append(s.authorization, "Bearer "+good)
	}},
}

var bodyVariations = []variation{
	{name: "no body", change: func(s *shot, _ Target, _ string) { s.bodiless = true }},
	{name: "body of 2 KiB", change: padded(2 << 10)},
	{name: "body of 300 KiB", change: padded(300 << 10)},
	{name: "body in chunks", change: func(s *shot, _ Target, _ string) { s.chunked = true }},
}

var methodVariations = []variation{
	{name: "PUT", change: by(http.MethodPut)},
	{name: "PATCH", change: by(http.MethodPatch)},
	{name: "HEAD", change: by(http.MethodHead)},
	{name: "OPTIONS", change: by(http.MethodOptions)},
	{name: "GET", change: by(http.MethodGet)},
	{name: "DELETE", change: by(http.MethodDelete)},
	{name: "HTTP/1.0", change: func(s *shot, _ Target, _ string) { s.old = true }},
}

// messageVariations do nothing even where they are let in.
var messageVariations = []variation{
	{name: "tools/list", anywhere: true, change: listing("tools/list")},
	{name: "resources/list", anywhere: true, change: listing("resources/list")},
	{name: "tools/call of no tool", anywhere: true, change: func(s *shot, t Target, _ string) {
		s.call = &call{method: "tools/call", params: map[string]any{"name": t.Policy.Absent}, id: 1}
	}},
	{name: "notification", change: func(s *shot, _ Target, _ string) { s.call = &call{method: "notifications/initialized"} }},
	{name: "batch", change: func(s *shot, _ Target, _ string) { s.batch = true }},
}

var tokenVariations = []variation{
	{name: "claim changed", spoil: func(raw string, _ uint64) (string, error) { return token.Tampered(raw, "sub", "root") }},
	{name: "scope added", spoil: func(raw string, _ uint64) (string, error) { return token.Tampered(raw, "scope", "root") }},
	{name: "bit of the signature", spoil: token.Flipped},
}

var pathVariations = []variation{
	{name: "slash at the end of the path", change: path(func(p string) string { return p + "/" })},
	{name: "path in upper case", change: path(strings.ToUpper)},
	{name: "path below", change: path(func(p string) string { return p + "/tools" })},
	{name: "dot segment in the path", want: badTarget, change: path(func(p string) string { return p + "/.." + p })},
	{name: "double slash in the path", want: badTarget, change: path(func(p string) string { return "/" + p })},
	{name: "escaped slash in the path", want: badTarget, change: path(func(p string) string { return p + "%2F" })},
}

func scheme(text string) func(*shot, Target, string) {
	return func(s *shot, _ Target, _ string) {
		s.authorization = []string{text + strings.TrimPrefix(s.authorization[0], "Bearer ")}
	}
}

func padded(bytes int64) func(*shot, Target, string) {
	return func(s *shot, _ Target, _ string) { s.padding = bytes }
}

func by(method string) func(*shot, Target, string) {
	return func(s *shot, _ Target, _ string) { s.method = method }
}

func listing(method string) func(*shot, Target, string) {
	return func(s *shot, _ Target, _ string) { s.call = &call{method: method, id: 1} }
}

func path(change func(string) string) func(*shot, Target, string) {
	return func(s *shot, t Target, _ string) { s.path = change(t.path()) }
}

// variations draws the round's.
func (r *round) variations() []question {
	eligible := slices.DeleteFunc(slices.Clone(variations), func(v variation) bool { return !r.target.Exact && !v.anywhere })
	var all []question
	for _, i := range r.draw.Perm(len(eligible))[:min(variationsPerRound, len(eligible))] {
		all = append(all, r.vary(eligible[i]))
	}
	return all
}

// vary draws whose token it is, and what is wrong with it.
func (r *round) vary(v variation) question {
	from := r.issuers[r.draw.IntN(len(r.issuers))]
	kinds := []string{"forged token", "malformed token", "no token"}
	if v.presents {
		kinds = kinds[:2]
	}
	kind, bit, id := kinds[r.draw.IntN(len(kinds))], r.draw.Uint64(), r.id()
	want := unauthorized(map[string]string{
		"forged token": reasonSignature, "malformed token": reasonMalformed, "no token": reasonMissingToken,
	}[kind])
	name := v.name + ", " + kind
	if v.spoil != nil {
		name, want = v.name, unauthorized(reasonSignature)
	}
	if v.want != nil {
		want = *v.want
	}
	q := r.target.asks(Varied, from, want, func(now time.Time) (shot, error) {
		good, err := r.controlAt(from, now)
		if err != nil {
			return shot{}, err
		}
		s, err := r.aimed(v, kind, good, bit)
		if err == nil && v.change != nil {
			v.change(&s, r.target, good)
		}
		if s.call != nil && s.call.id != 0 {
			s.call.id = id
		}
		return s, err
	})
	q.variation = name
	var form shot
	if v.change != nil {
		form.authorization = []string{"Bearer "}
		v.change(&form, r.target, "")
	}
	q.method = form.httpMethod()
	return q
}

// aimed is the shot with the bad token.
func (r *round) aimed(v variation, kind, good string, bit uint64) (shot, error) {
	var bad string
	var err error
	switch {
	case v.spoil != nil:
		bad, err = v.spoil(good, bit)
	case kind == "forged token":
		bad, err = r.forge(good)
	case kind == "malformed token":
		bad = r.noJWT()
	default:
		return shot{}, nil
	}
	return shot{}.bearing(bad), err
}
