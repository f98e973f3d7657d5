package gate_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

const (
	readCall   = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"read_file","arguments":{"a":[1,"\u00e4"]}}}`
	deleteCall = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"delete_file"}}`
)

// upstreamLog is a server that remembers what it was asked.
type upstreamLog struct {
	mu    sync.Mutex
	asked []string
}

func (u *upstreamLog) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	u.mu.Lock()
	u.asked = append(u.asked, string(body))
	u.mu.Unlock()
	_, _ = io.WriteString(w, "{}")
}

// take gives what came since the last call.
func (u *upstreamLog) take() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	asked := u.asked
	u.asked = nil
	return asked
}

// guarded is a gate that lets everybody with the scope "mcp" read, and nobody but those with "admin" delete.
func guarded(t *testing.T, change func(*gateapi.Config), options ...siteOption) (*site, *upstreamLog) {
	t.Helper()
	upstream := &upstreamLog{}
	s := prepareSite(t, serveHTTP(t, upstream.serve))
	s.template.Scope = "mcp"
	s.config.Authorization = gateapi.Authorization{
		RequiredScopes: []string{"mcp"},
		Rules: []gateapi.Rule{
			{Methods: []string{"tools/list"}, Tools: []string{"read_*", "wörter"}},
			{Tools: []string{"delete_file"}, Scopes: []string{"admin"}},
			{Tools: []string{"format"}, Claims: []gateapi.ClaimMatch{{Name: "team", Values: []string{"sre"}}}},
		},
	}
	if change != nil {
		change(&s.config)
	}
	s.writeConfig()
	s.start(options...)
	return s, upstream
}

func (s *site) say(body string, header ...string) answer {
	s.t.Helper()
	r := s.request(http.MethodPost, "/mcp", s.token(), strings.NewReader(body))
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Content-Type" {
			r.Header.Del(name)
		}
		if value != "" {
			r.Header.Add(name, value)
		}
	}
	return s.do(r)
}

func zipped(text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return out.String()
}

// hardening 13 on the wire: whatever is refused, the server has not seen; whatever passes, it sees byte for byte.
func TestWhatRulesLetPass(t *testing.T) {
	s, upstream := guarded(t, nil)
	name := "Mcp-Name: =?base64?" + base64.StdEncoding.EncodeToString([]byte("wörter")) + "?="
	words := strings.Replace(readCall, "read_file", "wörter", 1)
	for label, c := range map[string]struct {
		body   string
		header []string
		status int
		reason string
	}{
		"allowed":            {readCall, nil, 200, ""},
		"another method":     {`{"method":"resources/list","id":1}`, nil, 200, ""},
		"lifecycle":          {ping, nil, 200, ""},
		"with white space":   {"\r\n " + readCall + "\n", nil, 200, ""},
		"charset":            {readCall, []string{"Content-Type: application/json; charset=UTF-8"}, 200, ""},
		"media in capitals":  {readCall, []string{"Content-Type: Application/JSON"}, 200, ""},
		"identity":           {readCall, []string{"Content-Encoding: identity"}, 200, ""},
		"empty batch":        {"[]", nil, 200, ""},
		"batch":              {"[" + readCall + "," + ping + "]", nil, 200, ""},
		"response":           {`{"id":1,"result":{}}`, nil, 200, ""},
		"large":              {strings.Replace(readCall, `"a":`, `"b":"`+strings.Repeat("x", 1<<20)+`","a":`, 1), nil, 200, ""},
		"headers":            {readCall, []string{"Mcp-Method: tools/call", "Mcp-Name: read_file", "Mcp-Param-X: =?base64?YQ==?="}, 200, ""},
		"header in base64":   {words, []string{name}, 200, ""},
		"scope is missing":   {deleteCall, nil, 403, "insufficient_scope"},
		"claim is missing":   {strings.Replace(readCall, "read_file", "format", 1), nil, 403, "forbidden"},
		"unknown tool":       {strings.Replace(readCall, "read_file", "drop", 1), nil, 403, "forbidden"},
		"tool in other case": {strings.Replace(readCall, "read_file", "Read_file", 1), nil, 403, "forbidden"},
		"in a batch":         {"[" + readCall + "," + deleteCall + "]", nil, 403, "insufficient_scope"},
		"as a notification":  {strings.Replace(deleteCall, `"id":7,`, "", 1), nil, 403, "insufficient_scope"},
		"escaped":            {strings.Replace(deleteCall, "delete", `d\u0065lete`, 1), nil, 403, "insufficient_scope"},
		"method's case":      {strings.Replace(deleteCall, "tools/call", "TOOLS/call", 1), nil, 400, "bad_message"},
		"member's case":      {strings.Replace(deleteCall, "method", "METHOD", 1), nil, 400, "bad_message"},
		"method twice":       {strings.Replace(deleteCall, `{"json`, `{"method":"ping","json`, 1), nil, 400, "bad_message"},
		"name twice":         {strings.Replace(deleteCall, `"name"`, `"name":"read_file","n\u0061me"`, 1), nil, 400, "bad_message"},
		"UTF-16":             {utf16(deleteCall), nil, 400, "bad_message"},
		"UTF-16, BOM":        {"\xff\xfe" + utf16(deleteCall), nil, 400, "bad_message"},
		"BOM":                {"\ufeff" + readCall, nil, 400, "bad_message"},
		"trailing":           {readCall + deleteCall, nil, 400, "bad_message"},
		"nested batch":       {"[[" + readCall + "]]", nil, 400, "bad_message"},
		"1001 messages":      {"[" + ping + strings.Repeat(","+ping, 1000) + "]", nil, 400, "bad_message"},
		"depth 65":           {`{"method":"tools/list","x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + "}", nil, 400, "bad_message"},
		"no body":            {"", nil, 400, "bad_message"},
		"not JSON":           {"method=tools/call", nil, 400, "bad_message"},
		"gzip":               {zipped(deleteCall), []string{"Content-Encoding: gzip"}, 415, "unsupported_media"},
		"gzip, unsaid":       {zipped(deleteCall), nil, 400, "bad_message"},
		"identity and gzip":  {zipped(deleteCall), []string{"Content-Encoding: identity", "Content-Encoding: gzip"}, 415, "unsupported_media"},
		"a list of codings":  {readCall, []string{"Content-Encoding: identity, gzip"}, 415, "unsupported_media"},
		"no type":            {readCall, []string{"Content-Type: "}, 415, "unsupported_media"},
		"text":               {readCall, []string{"Content-Type: text/plain"}, 415, "unsupported_media"},
		"form":               {readCall, []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "unsupported_media"},
		"other JSON":         {readCall, []string{"Content-Type: application/json-rpc"}, 415, "unsupported_media"},
		"other charset":      {readCall, []string{"Content-Type: application/json; charset=utf-16"}, 415, "unsupported_media"},
		"two charsets":       {readCall, []string{"Content-Type: application/json; charset=utf-8; charset=utf-7"}, 415, "unsupported_media"},
		"other parameter":    {readCall, []string{"Content-Type: application/json; encoding=utf-7"}, 415, "unsupported_media"},
		"method disagrees":   {readCall, []string{"Mcp-Method: tools/list"}, 400, "header_mismatch"},
		"name disagrees":     {readCall, []string{"Mcp-Name: delete_file"}, 400, "header_mismatch"},
		"and in old days":    {readCall, []string{"Mcp-Name: delete_file", "Mcp-Protocol-Version: 2025-03-26"}, 400, "header_mismatch"},
		"two names":          {readCall, []string{"Mcp-Name: read_file", "mcp-name: delete_file"}, 400, "ambiguous_header"},
		"two methods":        {readCall, []string{"Mcp-Method: tools/call", "Mcp-Method: tools/call"}, 400, "ambiguous_header"},
		"batch with header":  {"[" + readCall + "]", []string{"Mcp-Method: tools/call"}, 400, "header_mismatch"},
	} {
		got := s.say(c.body, c.header...)
		if got.status != c.status || got.header.Get("Gatehouse-Reason") != c.reason {
			t.Errorf("%s: got %d %q, want %d %q: %s", label, got.status, got.header.Get("Gatehouse-Reason"), c.status, c.reason, got.body)
		}
		asked := upstream.take()
		if c.status != 200 && len(asked) != 0 || c.status == 200 && (len(asked) != 1 || asked[0] != c.body) {
			t.Errorf("%s: the server was asked %.300q", label, asked)
		}
		code := -31000 - c.status
		if c.reason == "header_mismatch" {
			code = -32020 // MCP's own
		}
		if c.status != 200 && got.Error.Code != code {
			t.Errorf("%s: code %d", label, got.Error.Code)
		}
	}
}

func utf16(text string) string {
	var out strings.Builder
	for _, c := range []byte(text) {
		out.Write([]byte{c, 0})
	}
	return out.String()
}

// A12: one challenge with all scopes of the operation. A claim that is wrong gets none: clients take that for final (H14).
func TestChallengeNamesAllScopes(t *testing.T) {
	s, _ := guarded(t, func(c *gateapi.Config) {
		c.ResourceMetadata = &gateapi.ResourceMetadata{Resource: "https://mcp.example/mcp", AuthorizationServers: []string{"https://as.example"}}
	})
	s.template.Scope = "other"
	got := s.say(deleteCall)
	for _, part := range []string{`error="insufficient_scope"`, `scope="mcp admin"`, `resource_metadata="https://mcp.example/`} {
		if challenge := got.header.Values("Www-Authenticate"); len(challenge) != 1 || strings.Count(challenge[0], part) != 1 {
			t.Errorf("got %q, want one with %s", challenge, part)
		}
	}
	if string(got.ID) != "7" {
		t.Errorf("id %s was not echoed", got.ID)
	}
	s.template.Scope = "mcp admin"
	if got := s.say(deleteCall); got.status != 200 {
		t.Errorf("with the scopes of the challenge: got %d %s", got.status, got.body)
	}
	if got := s.say(strings.Replace(readCall, "read_file", "format", 1)); got.status != 403 || got.header.Get("Www-Authenticate") != "" {
		t.Errorf("without the claim: got %d %v", got.status, got.header)
	}
}

// tokenWith mints a good token with one more claim.
func (s *site) tokenWith(name string, value any) string {
	s.t.Helper()
	claims := jwt.MapClaims{}
	_, _, err := jwt.NewParser().ParseUnverified(s.token(), claims)
	must(s.t, err)
	claims[name] = value
	unsigned := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	unsigned.Header["typ"], unsigned.Header["kid"] = token.TypeAccessToken, s.template.Key.ID()
	text, err := unsigned.SigningString()
	must(s.t, err)
	signature, err := s.template.Key.Sign(text)
	must(s.t, err)
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestClaimsOfTheToken(t *testing.T) {
	s, upstream := guarded(t, nil)
	format := strings.Replace(readCall, "read_file", "format", 1)
	for _, c := range []struct {
		team   any
		status int
	}{{"sre", 200}, {[]string{"dev", "sre"}, 200}, {"dev", 403}, {7, 403}} {
		got := s.do(s.request(http.MethodPost, "/mcp", s.tokenWith("team", c.team), strings.NewReader(format)))
		if asked := upstream.take(); got.status != c.status || (len(asked) == 1) != (c.status == 200) {
			t.Errorf("team %v: got %d, the server was asked %q", c.team, got.status, asked)
		}
	}
}

// The bytes judged are the bytes that pass, however they come, and 413 stays 413.
func TestJudgedBodiesInPieces(t *testing.T) {
	s, upstream := guarded(t, nil)
	chunked := func(parts ...string) string {
		out := "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nAuthorization: Bearer " + s.token() + "\r\n\r\n"
		for _, part := range parts {
			out += fmt.Sprintf("%x\r\n%s\r\n", len(part), part)
		}
		return out + "0\r\n\r\n"
	}
	if got := s.raw(chunked(readCall[:30], readCall[30:31], readCall[31:])); got.status != 200 {
		t.Errorf("chunked: got %d %s", got.status, got.body)
	}
	if asked := upstream.take(); len(asked) != 1 || asked[0] != readCall {
		t.Errorf("chunked: the server was asked %q", asked)
	}
	for label, c := range map[string]struct {
		request string
		status  int
	}{
		"denied":    {chunked(deleteCall[:30], deleteCall[30:]), 403},
		"too large": {chunked(readCall, strings.Repeat(" ", 5<<20)), 413},
		"broken":    {strings.Replace(chunked(readCall), "0\r\n\r\n", "zz\r\n", 1), 400},
	} {
		if got := s.raw(c.request); got.status != c.status {
			t.Errorf("%s: got %d %s", label, got.status, got.body)
		}
		if asked := upstream.take(); len(asked) != 0 {
			t.Errorf("%s: the server was asked %.200q", label, asked)
		}
	}
}

// GET, DELETE and extra paths carry no messages: they need RequiredScopes, and must not bring a message all the same.
func TestRequestsWithoutMessages(t *testing.T) {
	s, upstream := guarded(t, func(c *gateapi.Config) { c.Authorization.DefaultAction = gateapi.ActionDeny })
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		for _, c := range []struct {
			scope, body string
			status      int
		}{{"mcp", "", 200}, {"", "", 403}, {"mcp", deleteCall, 400}} {
			s.template.Scope = c.scope
			var body io.Reader = http.NoBody
			if c.body != "" {
				body = io.MultiReader(strings.NewReader(c.body)) // Chunked.
			}
			got := s.do(s.request(method, "/mcp", s.token(), body))
			if asked := upstream.take(); got.status != c.status || (len(asked) == 1) != (c.status == 200) {
				t.Errorf("%s with scope %q and body %q: got %d, the server was asked %q", method, c.scope, c.body, got.status, asked)
			}
		}
	}
}

// T7: without rules nothing is judged, and everything passes as it is.
func TestWithoutRulesBodiesAreNotJudged(t *testing.T) {
	s, upstream := guarded(t, func(c *gateapi.Config) { c.Authorization.Rules = nil })
	for _, body := range []string{deleteCall, "\ufeff[[", utf16(readCall), ""} {
		got := s.say(body, "Content-Type: text/plain", "Content-Encoding: gzip", "Mcp-Method: a", "Mcp-Name: c")
		if asked := upstream.take(); got.status != 200 || len(asked) != 1 || asked[0] != body {
			t.Errorf("%q: got %d, the server was asked %q", body, got.status, asked)
		}
	}
	s.template.Scope = ""
	if got := s.say(deleteCall); got.status != 403 || len(upstream.take()) != 0 {
		t.Errorf("without the required scope: got %d", got.status)
	}
}

// A response answers what the server asked of a session's owner.
func TestResponsesNeedABoundSession(t *testing.T) {
	s, upstream := guarded(t, func(c *gateapi.Config) { c.SessionBinding = gateapi.SessionBindingCaller })
	for body, status := range map[string]int{
		`{"id":1,"result":{}}`: 403, `{"id":1,"error":{}}`: 403, `[` + readCall + `,{"id":1,"result":{}}]`: 403, readCall: 200,
	} {
		if got := s.say(body); got.status != status || (len(upstream.take()) == 1) != (status == 200) {
			t.Errorf("%s: got %d %s", body, got.status, got.body)
		}
	}
}

// What was asked is in the audit, judged or not; but neither a query, nor what does not print, nor what is long.
func TestAuditTellsWhatWasAsked(t *testing.T) {
	read := func(uri string) string {
		return `{"id":1,"method":"resources/read","params":{"uri":"` + uri + `"}}`
	}
	for _, rules := range []bool{true, false} {
		lines := &logBuffer{}
		s, _ := guarded(t, func(c *gateapi.Config) {
			if !rules {
				c.Authorization.Rules = nil
			}
		}, audited(lines))
		for body, want := range map[string]string{
			readCall:                   `"method":"tools/call","name":"read_file"`,
			"[" + ping + "]":           `"method":"ping","name":""`,
			read("file:///a?key=hush"): `"method":"resources/read","name":"file:///a"`,
			read("file:///\u200b"):     `"method":"resources/read","name":""`,
			read("file:///" + strings.Repeat("long", 40)): `"method":"resources/read","name":""`,
		} {
			before := len(lines.String())
			s.say(body)
			s.eventually("the audit tells "+want, func() bool { return strings.Contains(lines.String()[before:], want) })
		}
		if told := lines.String(); strings.Contains(told, "hush") || strings.Contains(told, "longlong") {
			t.Error("the audit tells more than it should")
		}
	}
}
