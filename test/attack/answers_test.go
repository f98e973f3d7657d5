package attack

import (
	"fmt"
	"net/http"
	"strings"
)

// answer is the whole answer to one request. The zero values of method, proto and id are "POST", "HTTP/1.1" and 7.
type answer struct {
	status int
	// reason is that of the gate's own answers, in body and header; it is empty if net/http or the server answered.
	reason  string
	message string // of the body, in place of the usual one of the reason
	id      string // JSON, as it is echoed
	scope   string // that a 403 asks for
	text    string // the whole body, where there is no reason
	method  string // HEAD has no body
	proto   string
	served  bool // the request reaches the server
	header  map[string]string
	trailer string // the names of all that come behind the body, sorted
}

// refusals are the statuses and words of the gate's answers: a promise to whoever shows them to people, or has a program
// compare them. They are written down once more here, so that they do not change by chance.
var refusals = map[string]answer{
	"missing_token":         {status: 401, message: "an access token is required: send it as Authorization: Bearer"},
	"malformed_token":       {status: 401, message: "the access token is not a well-formed JWT"},
	"unsupported_algorithm": {status: 401, message: "the access token is signed with an algorithm that is not accepted here"},
	"unknown_key":           {status: 401, message: "the access token is signed with a key that is not known here"},
	"bad_signature":         {status: 401, message: "the signature of the access token is not valid"},
	"expired":               {status: 401, message: "the access token has expired: get a new one"},
	"not_yet_valid":         {status: 401, message: "the access token is not valid yet: compare the clocks of its issuer and of this server"},
	"wrong_audience":        {status: 401, message: "the access token was issued for another server"},
	"wrong_issuer":          {status: 401, message: "the access token comes from an issuer that is not accepted here"},
	"wrong_type":            {status: 401, message: "the token is not an access token that may be used as a bearer token"},
	"missing_claim":         {status: 401, message: "the access token lacks a claim that is required here"},
	"revoked":               {status: 401, message: "the access token has been revoked"},
	"insufficient_scope":    {status: 403, message: "the access token lacks a scope that this operation needs: get one with the scopes of the challenge"},
	"forbidden":             {status: 403, message: "this caller may not do this: the rules of the server forbid it"},
	"wrong_origin":          {status: 403, message: "requests from this origin are not allowed: add it to the allowed origins of the server"},
	"wrong_host":            {status: 421, message: "this is not a name of this server: add it to the allowed hosts of the server"},
	"unknown_path":          {status: 404, message: "there is no MCP endpoint at this path"},
	"unknown_method":        {status: 405, message: "this path does not take this method", header: map[string]string{"Allow": "GET, POST, DELETE"}},
	"unknown_session":       {status: 404, message: "session not found: initialize a new one"},
	"unsupported_media":     {status: 415, message: "the body must be application/json in UTF-8 without a content encoding: its message has to be judged"},
	"body_too_large":        {status: 413, message: "the request body is too large: send less, or raise auth.limits.bodyBytes of the server"},
	"body_timeout":          {status: 408, message: "the request body arrived too slowly"},
	"bad_body":              {status: 400, message: "the request body could not be read"},
	"ambiguous_header":      {status: 400, message: "more than one Authorization header"},
	"bad_target":            {status: 400, message: "the path must be in its plain form: no dot segments, double slashes or escapes"},
	"bad_message":           {status: 400},
	"header_mismatch":       {status: 400},
	"upstream_session":      {status: 502, message: "the MCP server opened a session under an id that cannot be passed on"},
	"upstream_redirect":     {status: 502, message: "the MCP server redirects from its path to the same with a slash at its end: set spec.path to where it answers"},
	"upstream_upgrade":      {status: 502, message: "the MCP server switched to another protocol"},
}

// refuse is an answer of the gate's own.
func refuse(reason string) answer {
	out, known := refusals[reason]
	if !known {
		panic("no answer is written down for " + reason)
	}
	out.reason = reason
	return out
}

// unnamed is refuse for a request whose id could not be read.
func unnamed(reason string) answer { return refuse(reason).withID("null") }

func (w answer) withID(id string) answer {
	w.id = id
	return w
}

func (w answer) saying(message string) answer {
	w.message = message
	return w
}

func (w answer) asking(scope string) answer {
	w.scope = scope
	return w
}

func (w answer) to(method string) answer {
	w.method = method
	return w
}

func (w answer) with(name, value string) answer {
	w.header = map[string]string{name: value}
	return w
}

// serve is what the server behind the gate says.
func serve() answer { return answer{status: http.StatusOK, text: served, served: true} }

// golang is what net/http says before the gate sees anything.
func golang(status int, text string) answer { return answer{status: status, text: text} }

func (w answer) statusLine() string {
	proto := w.proto
	if proto == "" {
		proto = "HTTP/1.1"
	}
	plain := fmt.Sprintf("%d %s", w.status, http.StatusText(w.status))
	if strings.HasPrefix(w.text, plain) {
		plain = w.text // net/http says more there.
	}
	return proto + " " + plain
}

// code is the error code of RFC 6750 section 3.1.
func (w answer) code() string {
	switch {
	case w.reason == "missing_token":
		return ""
	case w.reason == "insufficient_scope":
		return w.reason
	case w.reason == "ambiguous_header" && w.message == refusals[w.reason].message:
		return "invalid_request"
	case w.reason != "" && w.status == http.StatusUnauthorized:
		return "invalid_token"
	default:
		return ""
	}
}

// challenges are the WWW-Authenticate lines: one, or none.
func (w answer) challenges(s *site) []string {
	code := w.code()
	if code == "" && (w.status != http.StatusUnauthorized || w.reason == "") {
		return nil
	}
	out := `Bearer realm="tools/weather"`
	parameter := func(name, value string) {
		if value != "" {
			out += ", " + name + `="` + value + `"`
		}
	}
	parameter("error", code)
	if w.scope != "" {
		parameter("scope", w.scope)
	} else {
		parameter("scope", s.scope)
	}
	parameter("resource_metadata", s.metadata)
	if code != "" {
		parameter("error_description", w.message)
	}
	return []string{out}
}

// body is the exact text.
func (w answer) body() string {
	switch {
	case w.method == http.MethodHead:
		return ""
	case w.reason == "":
		return w.text
	}
	id, code := w.id, -31000-w.status
	if id == "" {
		id = "7"
	}
	if w.reason == "header_mismatch" {
		code = -32020 // MCP 2026-07-28 has one for just this.
	}
	data := ""
	if w.code() != "" {
		data = `"error":"` + w.code() + `",`
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":"%s: %s","data":{%s"reason":"%s","status":%d}}}`+"\n",
		id, code, http.StatusText(w.status), w.message, data, w.reason, w.status)
}
