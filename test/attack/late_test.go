package attack

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// ending is what makes a good token a bad one while the body of its request comes.
type ending struct {
	name, reason string
	mint         func(s *site) string
	// happen returns when the gate knows.
	happen func(t *testing.T, s *site, bearer string)
}

const lateLife = 3 * time.Second // of a token that expires while its body comes

func endings() []ending {
	revoke := func(entry string) func(*testing.T, *site, string) {
		return func(t *testing.T, s *site, bearer string) {
			t.Helper()
			write(t, s.keysDir, gateapi.RevokedFile, []byte(entry+"\n"))
			s.waitForRefusal(t, bearer)
		}
	}
	return []ending{
		{
			name: "its time passes", reason: "expired",
			mint: func(s *site) string {
				// The provider tolerates 30 seconds.
				return s.mint(setClaim("exp", time.Now().Add(lateLife-30*time.Second).Unix()))
			},
			happen: func(t *testing.T, s *site, bearer string) { t.Helper(); s.waitForRefusal(t, bearer) },
		},
		{name: "its subject is revoked", reason: "revoked", mint: func(s *site) string { return s.mint() }, happen: revoke("sub:alice")},
		{name: "it is revoked", reason: "revoked", mint: func(s *site) string { return s.mint(setClaim("jti", "late")) }, happen: revoke("jti:late")},
		{
			name: "all tokens of its time are revoked", reason: "revoked", mint: func(s *site) string { return s.mint() },
			happen: revoke("issuedBefore:" + time.Now().Add(time.Hour).UTC().Format(time.RFC3339)),
		},
		{
			name: "its key is removed", reason: "unknown_key", mint: func(s *site) string { return s.mint() },
			happen: func(t *testing.T, s *site, bearer string) {
				t.Helper()
				write(t, s.keysDir, gateapi.KeysFile("main"), publicSet(t, s.issuers.rs))
				s.waitForRefusal(t, bearer)
			},
		},
	}
}

func (s *site) waitForRefusal(t *testing.T, bearer string) {
	t.Helper()
	for limit := time.Now().Add(patience); time.Now().Before(limit); time.Sleep(20 * time.Millisecond) {
		response, err := http.DefaultClient.Do(s.asked(t, bearer))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return
		}
	}
	t.Fatal("the token is still good")
}

func (s *site) asked(t *testing.T, bearer string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.address+"/mcp", strings.NewReader(ping))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+bearer)
	return r
}

// bodyShape is how a body comes: begin, and after a while end.
type bodyShape struct {
	name, framing, begin, end string
	rules                     bool
}

// shapes are bodies that the gate reads to their end before it forwards them: short ones always, long ones where rules
// judge them. White space behind JSON is JSON, too.
func shapes() []bodyShape {
	var out []bodyShape
	for _, length := range []int{1 << 10, 200 << 10} {
		for _, rules := range []bool{false, true} {
			if length > 64<<10 && !rules {
				continue
			}
			body := ping + strings.Repeat(" ", length-len(ping))
			begin, end := body[:length-2], body[length-2:]
			name := fmt.Sprintf("%d bytes, rules %t", length, rules)
			out = append(out,
				bodyShape{name + ", with a length", fmt.Sprintf("Content-Length: %d", length), begin, end, rules},
				bodyShape{
					name + ", in chunks", "Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\n", len(begin), begin),
					fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(end), end), rules,
				})
		}
	}
	return out
}

// A token acts no more once it has expired or was revoked, however early its request began.
func TestLate(t *testing.T) {
	t.Parallel()
	for _, e := range endings() {
		for _, shape := range shapes() {
			t.Run(e.name+", "+shape.name, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, func(c *gateapi.Config) {
					if shape.rules {
						c.Authorization.Rules = []gateapi.Rule{{Methods: []string{"ping"}}}
					}
				})
				bearer := e.mint(s)
				s.try(t, []attack{{
					line: "J24", name: e.name, slow: true, answers: one(refuse(e.reason)),
					raw: joinLines("POST /mcp HTTP/1.1", "Host: "+host, "Content-Type: application/json", "Authorization: Bearer "+bearer, shape.framing, "") + shape.begin,
					late: func() string {
						before := s.server.visits.Load()
						e.happen(t, s, bearer)
						s.others = int(s.server.visits.Load() - before) // those of whoever looked
						return shape.end
					},
				}})
			})
		}
	}
}

// What one request may name is bounded before anything of it is judged.
func TestLongLists(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *gateapi.Config) {
		c.Authorization.Rules = []gateapi.Rule{{Methods: []string{"custom/*", "tools/call", "subscriptions/listen"}, Resources: []string{"file:///*"}}, {Tools: []string{"*"}}}
	})
	const tooMany, long = "the body names more than 1000 things", "the method is longer than 256 bytes"
	listenTo := func(n int) string {
		return `{"jsonrpc":"2.0","id":7,"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":["file:///a"` + strings.Repeat(`,"file:///a"`, n-1) + `]}}}`
	}
	custom := func(n int) string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":"custom/%d"}`, i))
		}
		return "[" + strings.Join(out, ",") + "]"
	}
	var table []attack
	for _, c := range []struct{ name, body, message string }{
		{"two lists of 600", "[" + listenTo(600) + "," + listenTo(600) + "]", tooMany},
		{"900 lists of 1,000", "[" + strings.Repeat(listenTo(1000)+",", 20) + listenTo(1000) + "]", tooMany},
		{"999 calls and a list", "[" + strings.Repeat(callOf(`"x"`)+",", 999) + listenTo(2) + "]", tooMany},
		{"a method of 257 bytes", `{"jsonrpc":"2.0","id":7,"method":"` + strings.Repeat("x", 257) + `"}`, long},
		{"a method of a megabyte", `{"jsonrpc":"2.0","id":7,"method":"` + strings.Repeat("x", 1<<20) + `"}`, long},
		{"an escaped method of 257 bytes", `{"jsonrpc":"2.0","id":7,"method":"` + strings.Repeat(`\u0078`, 257) + `"}`, long},
		{"17 methods that MCP does not have", custom(17), "the messages have more than 16 methods that MCP does not have"},
		{"1,000 methods that MCP does not have", custom(1000), "the messages have more than 16 methods that MCP does not have"},
	} {
		id := "7"
		if strings.HasPrefix(c.body, "[") {
			id = "null"
		}
		table = append(table, attack{line: "T6", name: c.name, raw: post(s.mint(), c.body), answers: one(refuse("bad_message").saying(c.message).withID(id))})
	}
	s.try(t, table)
}
