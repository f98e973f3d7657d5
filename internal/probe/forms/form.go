package forms

import (
	"context"
	"net/http"
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
)

// form is an unusual form of a request that must be refused all the same.
type form struct {
	name string
	// anywhere: it is asked of servers, too, that are not our gate.
	anywhere bool
	// presents: it makes no sense without a token.
	presents bool
	// carries: the positive control's token is in it, elsewhere than it belongs or beside the bad one.
	carries bool
	// proxied: a proxy before the gate may answer it in the gate's place, or change it.
	proxied bool
	// client: it comes under a name of the target.
	client bool
	// heavy: it costs more than a connection, or a large body; only full checks ask it.
	heavy bool
	// limits is how many time limits of a case it has; 0 is 1.
	limits int
	// change makes the form. good is the positive control's token.
	change func(s *client.Request, target probe.Target, good string)
	// want, if set, is what is due in place of the refusal that the token deserves.
	want *expect.Refusal
	// applies, if set, reports whether it makes sense at the target.
	applies func(probe.Target) bool
	// ask, if set, asks in another way than by one request on a connection of its own.
	ask func(ctx context.Context, c *client.Client, s client.Request, want expect.Refusal) client.Exchange
}

var (
	ambiguous = &expect.Refusal{Status: http.StatusBadRequest, Reasons: []string{"ambiguous_header"}, Challenge: expect.InvalidRequest}
	badTarget = new(expect.Refused(http.StatusBadRequest, "bad_target"))
	malformed = new(expect.Unauthorized(probe.ReasonMalformed))
)

// eachHost stands for a form of each of the names of a target.
const eachHost = "Host that clients use"

var forms = slices.Concat(
	[]form{{name: "as usual", anywhere: true}},
	headerForms, placeForms, proxyForms, hostForms, contentForms, clientForms, bodyForms, methodForms, messageForms, pathForms, lineForms,
)

// Names lists the names of all forms that a check may take.
func Names() []string {
	var names []string
	for _, f := range forms {
		names = append(names, f.name)
	}
	return names
}

// formsAt are those that make sense at the target, with a form of its own for each of its names.
func formsAt(t probe.Target) []form {
	var out []form
	for _, f := range forms {
		switch {
		case !t.Exact && !f.anywhere, f.proxied && t.Proxied, f.applies != nil && !f.applies(t):
		case f.name == eachHost && t.Proxied:
		case f.name == eachHost:
			for _, host := range t.Hosts {
				out = append(out, form{name: "Host " + host, change: named(host), client: true, proxied: true})
			}
		default:
			out = append(out, f)
		}
	}
	return out
}

// method is the HTTP method of the form.
func (f form) method(t probe.Target) string {
	var s client.Request
	if f.change != nil {
		s.Authorization = []string{"Bearer "}
		f.change(&s, t, "")
	}
	return s.HTTPMethod()
}
