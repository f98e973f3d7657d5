package verify_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/revocation"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Whatever way people write a name, it revokes whom they mean.
func TestSpellingsOfARevokedName(t *testing.T) {
	b := newFixture(t)
	b.addQuilt()
	sub := func(subject string) string { return b.sign(b.ed, b.header(), with(b.claims(), "sub", subject)) }
	quilt := func(id, uuid any) string { return b.quilt(with(with(b.quiltClaims(), "id", id), "uuid", uuid)) }
	const early = "issuedBefore:2027-01-01T00:00:00Z"
	for name, c := range map[string]struct {
		list, raw string
		revoked   bool
	}{
		"ampersand in an array":            {`sub:["1","R&D"]`, quilt("1", "R&D"), true},
		"the same, escaped":                {`sub:["1","R\u0026D"]`, quilt("1", "R&D"), true},
		"angle brackets":                   {`sub:["1","<a>"]`, quilt("1", "<a>"), true},
		"line separator, escaped":          {`sub:["1","a\u2028b"]`, quilt("1", "a\u2028b"), true},
		"letters beyond ASCII":             {`sub:["1","J\u00f6rg"]`, quilt("1", "J\u00f6rg"), true},
		"letters beyond ASCII, escaped":    {`sub:["1","J\u00` + `f6rg"]`, quilt("1", "J\u00f6rg"), true},
		"a slash, escaped":                 {`sub:["1","a\/b"]`, quilt("1", "a/b"), true},
		"spaces in the array":              {`sub: [ "1" , "R&D" ] `, quilt("1", "R&D"), true},
		"a comment behind the array":       {`sub:["1","R&D"] # left`, quilt("1", "R&D"), true},
		"a number":                         {`sub:[7,"a"]`, quilt(7, "a"), true},
		"a number in another spelling":     {`sub:[7.0,"a"]`, quilt(7, "a"), true},
		"the token's in another spelling":  {`sub:[7,"a"]`, b.quilt(with(with(b.quiltClaims(), "id", json.RawMessage("70e-1")), "uuid", "a")), true},
		"a number that is a text":          {`sub:["7","a"]`, quilt(7, "a"), false},
		"another array":                    {`sub:["1","R"]`, quilt("1", "R&D"), false},
		"array of a time":                  {early + ` ["1","R&D"] # all`, quilt("1", "R&D"), true},
		"a comment":                        {"sub:alice # left in May", sub("alice"), true},
		"a comment behind a tab":           {"sub:alice\t# left", sub("alice"), true},
		"a comment without a space in it":  {"sub:alice #left", sub("alice"), true},
		"a hash that is part of it":        {"sub:alice#2", sub("alice#2"), true},
		"a hash that is part, not another": {"sub:alice#2", sub("alice"), false},
		"a hash behind a space, meant":     {"sub:alice # 2", sub("alice # 2"), true},
		"the same as a JSON string":        {`sub:"alice # 2"`, sub("alice # 2"), true},
		"as a JSON string, nobody else":    {`sub:"alice # 2"`, sub("alice"), false},
		"a JSON string and a comment":      {`sub:"alice" # left`, sub("alice"), true},
		"a JSON string with an escape":     {`sub:"R\u0026D"`, sub("R&D"), true},
		"single quotes":                    {"sub:'alice'", sub("alice"), true},
		"quotes that are part of it":       {`sub:"alice"`, sub(`"alice"`), true},
		"spaces at the token's edges":      {"sub:alice", sub(" alice "), true},
		"spaces at both edges":             {"sub:  alice  ", sub(" alice"), true},
		"no-break space at an edge":        {"sub:alice\u00a0", sub("alice"), true},
		"space without width at an edge":   {"sub:alice\u200b", sub("alice"), true},
		"space inside":                     {"sub:alice  smith", sub("alice smith"), false},
		"CR only":                          {"sub:bob\rsub:alice\rsub:carol", sub("alice"), true},
		"CR LF":                            {"sub:bob\r\nsub:alice\r\n", sub("alice"), true},
		"line separator":                   {"sub:bob\u2028sub:alice", sub("alice"), true},
		"paragraph separator":              {"sub:bob\u2029sub:alice", sub("alice"), true},
		"next line":                        {"sub:bob\u0085sub:alice", sub("alice"), true},
		"form feed":                        {"sub:bob\fsub:alice", sub("alice"), true},
		"byte order mark":                  {"\ufeffsub:alice", sub("alice"), true},
		"a comment that ends with CR":      {"# who\rsub:alice", sub("alice"), true},
		"time and a comment":               {early + " # all of them", sub("alice"), true},
		"time, subject and a comment":      {early + " alice # left", sub("alice"), true},
		"time, tab and subject":            {early + "\talice", sub("alice"), true},
		"time and another subject":         {early + " bob # alice", sub("alice"), false},
		"an id with a comment":             {"jti:1 # stolen", sub("alice"), true},
		"an id as a JSON string":           {`jti:"1"`, sub("alice"), true},
		"a key with a comment":             {"kid:" + b.ed.ID() + " # old", sub("alice"), true},
		"nothing in quotes":                {"sub:' '", sub("alice"), false},
		"a token without an id":            {"jti:' '", b.quilt(b.quiltClaims()), false},
	} {
		b.revoked = c.list
		want := gateapi.Reason("")
		if c.revoked {
			want = gateapi.ReasonRevoked
		}
		b.refused(name, c.raw, want)
	}
}

// Where one claim says who the caller is, its value names him, without the array.
func TestRevokedNameOfOneIdentityClaim(t *testing.T) {
	b := newFixture(t)
	b.addQuilt()
	b.provider("quilt").IdentityClaims = []string{"id"}
	for list, id := range map[string]any{"sub:7": "7", `sub:["7"]`: "7", "sub:8": 8, "sub:[8]": 8, "issuedBefore:2027-01-01T00:00:00Z R&D": "R&D"} {
		b.revoked = list
		b.refused(list, b.quilt(with(b.quiltClaims(), "id", id)), gateapi.ReasonRevoked)
	}
	b.provider("quilt").IdentityClaims = []string{"/user/id"}
	b.revoked = "sub:u-9"
	b.refused("a claim inside another", b.quilt(with(b.quiltClaims(), "user", fields{"id": "u-9"})), gateapi.ReasonRevoked)
}

// A line that may name nobody is told, and revokes what it may mean all the same.
func TestDoubtfulLinesRevoke(t *testing.T) {
	b := newFixture(t)
	for name, c := range map[string]struct{ list, subject string }{
		"soft hyphen":    {"sub:ali\u00adce", "alice"},
		"no-break space": {"sub:alice\u00a0smith", "alice smith"},
		"direction":      {"sub:\u202ealice", "alice"},
		"half a string":  {`sub:"alice`, `"alice`},
		"half an array":  {`sub:["alice"`, `["alice"`},
	} {
		list, err := revocation.Parse([]byte(c.list))
		if err == nil {
			t.Errorf("%s: it is not told", name)
		}
		_, denial := verify.New(b.config, podUID, b.loaded, list, testClock).Verify(b.sign(b.ed, b.header(), with(b.claims(), "sub", c.subject)))
		if denial == nil || denial.Reason != gateapi.ReasonRevoked || denial.Detail != "revoked by an entry of kind sub" {
			t.Errorf("%s: got %+v", name, denial)
		}
	}
}

// FuzzRevocations: no list panics or quotes itself; reading it twice gives the same; and a subject that is listed, as a
// JSON string or as it is, is revoked whatever stands around its line.
func FuzzRevocations(f *testing.F) {
	for _, seed := range []struct{ list, subject string }{
		{"sub:alice\n", "alice"}, {"# x\r\njti:1\r", "R&D"}, {"issuedBefore:2026-01-31T00:00:00Z bob # y", `["1","a"]`}, {"sub:\"", " a # b "},
		{"kid:x\u2028", "\u00e9\u00ad"}, {"sub:[7.0,\"<\"]", "'quoted'"}, {"\ufeff", "\\"}, {"sub:\xff", "[7.0]"}, {"issuedBefore:x", "a\nb"},
	} {
		f.Add(seed.list, seed.subject)
	}
	made := newFixture(f)
	f.Fuzz(func(t *testing.T, list, subject string) {
		b := *made
		b.t = t
		parsed, err := revocation.Parse([]byte(list))
		again, _ := revocation.Parse([]byte(list))
		if parsed.Len() != again.Len() {
			t.Errorf("%d entries, then %d", parsed.Len(), again.Len())
		}
		if err != nil && len(subject) > 60 && strings.Contains(err.Error(), subject) {
			t.Errorf("the error quotes the list: %v", err)
		}
		raw := b.sign(b.ed, b.header(), with(b.claims(), "sub", subject))
		if _, denial := verify.New(b.config, podUID, b.loaded, revocation.List{}, testClock).Verify(raw); denial != nil {
			return // No token can have that subject.
		}
		if !utf8.ValidString(subject) || strings.TrimSpace(strings.Trim(subject, "\u200b\u2060\ufeff \t")) == "" || strings.Count(list, "\n")+len(list)/2 > 9000 {
			return
		}
		quoted, err := json.Marshal(subject)
		must(t, err)
		isRevoked := func(line string) {
			t.Helper()
			for _, text := range []string{line, line + " # a comment", line + "\r" + list, list + "\n" + line + "\r\n", list + "\u2028" + line} {
				revoked, _ := revocation.Parse([]byte(text))
				_, denial := verify.New(b.config, podUID, b.loaded, revoked, testClock).Verify(raw)
				if denial == nil || denial.Reason != gateapi.ReasonRevoked {
					t.Errorf("%q does not revoke %q: %+v", text, subject, denial)
				}
			}
		}
		isRevoked("sub:" + string(quoted))
		isRevoked("issuedBefore:" + now.Add(time.Hour).Format(time.RFC3339) + " " + string(quoted))
		if !strings.ContainsAny(subject, "\n\r\v\f\u0085\u2028\u2029#") {
			isRevoked("sub:" + subject)
		}
	})
}
