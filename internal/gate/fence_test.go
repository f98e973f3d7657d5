package gate_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// callerRequest is one request of a caller.
type callerRequest struct {
	method, path, body string
	header             []string
}

func (s *site) put(bearer string, a callerRequest) answer {
	s.t.Helper()
	r := s.request(a.method, a.path, bearer, strings.NewReader(a.body))
	for _, line := range a.header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	return s.do(r)
}

// A subject that is reserved for probes may find the server and list what it has, whoever signed and whatever rules say.
// Scopes and rules are asked first, so that a gate without them shows it.
func TestFence(t *testing.T) {
	const list = `{"jsonrpc":"2.0","id":7,"method":"tools/list"}`
	post := func(body string, header ...string) callerRequest {
		return callerRequest{http.MethodPost, "/mcp", body, header}
	}
	cases := map[string]struct {
		asked callerRequest
		// free and ruled are the reasons without rules and with some; "" lets it pass.
		free, ruled string
	}{
		"lists tools":            {post(list), "", ""},
		"pings":                  {post(ping), "", ""},
		"ends its session":       {callerRequest{http.MethodDelete, "/mcp", "", nil}, "", ""},
		"calls a tool":           {post(readCall), "reserved_subject", "reserved_subject"},
		"calls another":          {post(deleteCall), "reserved_subject", "insufficient_scope"},
		"calls what nobody may":  {post(strings.Replace(readCall, "read_file", "format", 1)), "reserved_subject", "forbidden"},
		"calls in a batch":       {post("[" + list + "," + readCall + "]"), "reserved_subject", "reserved_subject"},
		"says nothing":           {post("[]"), "reserved_subject", "reserved_subject"},
		"answers":                {post(`{"id":1,"result":{}}`), "reserved_subject", "reserved_subject"},
		"speaks no JSON":         {post("tools/call"), "bad_message", "bad_message"},
		"speaks in two ways":     {post(`{"method":"ping","method":"tools/call"}`), "bad_message", "bad_message"},
		"speaks otherwise above": {post(list, "Mcp-Method: tools/call"), "header_mismatch", "header_mismatch"},
		"speaks another media":   {post(list, "Content-Type: text/plain"), "unsupported_media", "unsupported_media"},
		"speaks in a DELETE":     {callerRequest{http.MethodDelete, "/mcp", readCall, nil}, "bad_message", "bad_message"},
		"listens":                {callerRequest{http.MethodGet, "/mcp", "", nil}, "reserved_subject", "reserved_subject"},
		"goes elsewhere":         {callerRequest{http.MethodPost, "/extra", list, nil}, "reserved_subject", "reserved_subject"},
		"looks elsewhere":        {callerRequest{http.MethodGet, "/extra", "", nil}, "reserved_subject", "reserved_subject"},
	}
	for _, ruled := range []bool{false, true} {
		s, upstream := guarded(t, func(c *gateapi.Config) {
			c.Upstream.ExtraPaths = []string{"/extra"}
			if !ruled {
				c.Authorization = gateapi.Authorization{}
			}
		})
		for _, subject := range []string{gateapi.ProbeSubject, gateapi.OtherProbeSubject} {
			s.template.Subject = subject
			for name, c := range cases {
				want := c.free
				if ruled {
					want = c.ruled
				}
				got, seen := s.put(s.token(), c.asked), upstream.take()
				if got.header.Get("Gatehouse-Reason") != want || (got.status == 200) != (want == "") || (len(seen) == 1) != (want == "") {
					t.Errorf("with rules: %v: %s %s: got %d %s, the server saw %q; want %q", ruled, subject, name, got.status, got.body, seen, want)
				}
				if want == "reserved_subject" && (got.status != http.StatusForbidden || len(got.header.Values("Www-Authenticate")) > 0) {
					t.Errorf("%s: got %d %v", name, got.status, got.header)
				}
			}
		}
		s.template.Subject = "someone"
		for _, free := range []callerRequest{post(readCall), {http.MethodGet, "/mcp", "", nil}, {http.MethodPost, "/extra", "", nil}} {
			if got := s.put(s.token(), free); got.status != 200 {
				t.Errorf("with rules: %v: somebody else: got %d %s", ruled, got.status, got.body)
			}
		}
		if !ruled && !slices.Equal(upstream.take(), []string{readCall, "", ""}) {
			t.Error("the server was asked something else")
		}
	}
}

// A scope that every token needs comes before the fence.
func TestFenceComesLast(t *testing.T) {
	s, _ := guarded(t, nil)
	s.template.Subject, s.template.Scope = gateapi.ProbeSubject, "other"
	for _, a := range []callerRequest{{http.MethodGet, "/mcp", "", nil}, {http.MethodPost, "/mcp", readCall, nil}} {
		if got := s.put(s.token(), a); got.header.Get("Gatehouse-Reason") != "insufficient_scope" {
			t.Errorf("%s: got %d %s", a.method, got.status, got.body)
		}
	}
}
