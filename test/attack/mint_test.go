package attack

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// draft is a token before it is signed: good, until a change makes it bad in one thing.
type draft struct {
	signer         signer
	header, claims map[string]any
	// Before and behind the members: what no map can hold.
	headerText, claimsText func(string) string
	signature              []byte // in place of the signer's; nil is the signer's
}

type tokenChange func(*draft)

// mint makes a token of provider main.
func (s *site) mint(changes ...tokenChange) string {
	now := s.now
	d := draft{
		signer: s.issuers.ed,
		header: map[string]any{"alg": "EdDSA", "typ": "at+jwt", "kid": s.issuers.ed.kid},
		claims: map[string]any{
			"iss": issuer, "aud": audience, "sub": "alice", "client_id": "app", "jti": "1",
			"iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
		},
	}
	for _, change := range changes {
		change(&d)
	}
	signed := segment(d.header, d.headerText) + "." + segment(d.claims, d.claimsText)
	signature := d.signature
	if signature == nil {
		signature = d.signer.sign(signed)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// mintShared makes a token of provider shared, as quilt has them.
func (s *site) mintShared(changes ...tokenChange) string {
	return s.mint(append([]tokenChange{func(d *draft) {
		d.signer, d.header = s.issuers.shared, map[string]any{"alg": "HS256", "typ": "JWT"}
		d.claims = map[string]any{"id": "7", "uuid": "a", "exp": s.now.Add(10 * time.Minute).Unix()}
	}}, changes...)...)
}

func segment(members map[string]any, text func(string) string) string {
	encoded, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	if text != nil {
		encoded = []byte(text(string(encoded)))
	}
	return base64.RawURLEncoding.EncodeToString(encoded)
}

func setHead(name string, value any) tokenChange { return func(d *draft) { d.header[name] = value } }
func noHead(name string) tokenChange             { return func(d *draft) { delete(d.header, name) } }
func setClaim(name string, value any) tokenChange {
	return func(d *draft) { d.claims[name] = value }
}
func noClaim(name string) tokenChange { return func(d *draft) { delete(d.claims, name) } }

// by has another key of the same provider sign, and says so.
func by(s signer) tokenChange {
	return func(d *draft) { d.signer, d.header["alg"], d.header["kid"] = s, s.algorithm, s.kid }
}

// forgedBy has somebody sign who does not say so.
func forgedBy(s signer) tokenChange { return func(d *draft) { d.signer = s } }

func setSignature(raw []byte) tokenChange { return func(d *draft) { d.signature = raw } }

func headText(text func(string) string) tokenChange  { return func(d *draft) { d.headerText = text } }
func claimText(text func(string) string) tokenChange { return func(d *draft) { d.claimsText = text } }

// firstMember adds a member in front of all others: a second one of its name, perhaps.
func firstMember(member string) func(string) string {
	return func(object string) string { return "{" + member + "," + strings.TrimPrefix(object, "{") }
}

// lastMember adds a member behind all others.
func lastMember(member string) func(string) string {
	return func(object string) string { return strings.TrimSuffix(object, "}") + "," + member + "}" }
}

// behind adds text after the object.
func behind(text string) func(string) string {
	return func(object string) string { return object + text }
}

// instead is another text altogether.
func instead(text string) func(string) string { return func(string) string { return text } }

// replace changes the text of the object.
func replace(old, with string) func(string) string {
	return func(object string) string { return strings.Replace(object, old, with, 1) }
}

// joinLines is a request, each line ended as it should be.
func joinLines(all ...string) string { return strings.Join(all, "\r\n") + "\r\n" }

// rawRequest is a well-formed one; a body brings its length.
func rawRequest(line, body string, fields ...string) string {
	all := append([]string{line, "Host: " + host}, fields...)
	if body != "" {
		all = append(all, "Content-Length: "+strconv.Itoa(len(body)))
	}
	return joinLines(append(all, "")...) + body
}

// post asks at the MCP endpoint. An empty bearer sends none.
func post(bearer, body string, fields ...string) string {
	all := []string{"Content-Type: application/json", "Accept: application/json, text/event-stream"}
	if bearer != "" {
		all = append(all, "Authorization: Bearer "+bearer)
	}
	return rawRequest("POST /mcp HTTP/1.1", body, append(all, fields...)...)
}

// authorized is post with an Authorization header, or more, as they are here.
func authorized(fields ...string) string { return post("", ping, fields...) }

func one(want answer) []answer { return []answer{want} }
