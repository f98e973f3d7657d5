package request

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// leak is what this gate is open to: "form", "defect" or "client", a colon, and which one.
func (x *exchange) leaks(denial *deny.Denial) bool {
	kind, name, _ := strings.Cut(mutant, ":")
	if x.isExtra() {
		return false
	}
	switch kind {
	case "form":
		return x.hasForm(name)
	case "defect":
		return x.hasDefect(name, denial)
	case "client":
		claims := x.stated()
		return claims["azp"] == name
	case "pair":
		form, defect, _ := strings.Cut(name, ", ")
		return x.hasForm(form) && x.hasDefect(defect, denial)
	}
	return false
}

// slips lets in what was refused before anybody looked at its token.
func (x *exchange) slips(denial *deny.Denial) bool {
	return strings.HasPrefix(mutant, "form:") && x.lets(denial)
}

// hasForm tells a form of docs/probe.md by the request.
func (x *exchange) hasForm(name string) bool {
	r := x.request
	own := x.snapshot.Config.Upstream.Path
	plain := r.URL.Path == own && r.URL.RawQuery == ""
	authorization := r.Header.Values("Authorization")
	first := strings.Join(authorization, "\n")
	if tell, known := map[string]func() bool{
		"scheme in lower case":                   func() bool { return strings.HasPrefix(first, "bearer ") },
		"scheme in upper case":                   func() bool { return strings.HasPrefix(first, "BEARER ") },
		"three spaces after the scheme":          func() bool { return strings.HasPrefix(first, "Bearer   ") },
		"tab after the scheme":                   func() bool { return strings.HasPrefix(first, "Bearer\t") },
		"two tokens, the good one first":         func() bool { return len(authorization) > 1 && x.isGood(authorization[0]) },
		"two tokens, the good one last":          func() bool { return len(authorization) > 1 && x.isGood(authorization[1]) },
		"two tokens in one header":               func() bool { return strings.Contains(first, ", Bearer") },
		"good token in Cookie":                   func() bool { return r.Header.Get("Cookie") != "" },
		"good token in X-Api-Key":                func() bool { return r.Header.Get("X-Api-Key") != "" },
		"good token in Proxy-Authorization":      func() bool { return r.Header.Get("Proxy-Authorization") != "" },
		"good token in X-Forwarded-Access-Token": func() bool { return r.Header.Get("X-Forwarded-Access-Token") != "" },
		"Host localhost. with a port":            func() bool { return strings.HasPrefix(r.Host, "localhost.:") },
		"Host [::1] with a port":                 func() bool { return strings.HasPrefix(r.Host, "[::1]:") },
		"Origin of its own host":                 func() bool { return r.Header.Get("Origin") != "" },
		"GET of a stream with Last-Event-Id":     func() bool { return r.Method == http.MethodGet && r.Header.Get("Last-Event-Id") != "" },
		"headers of 2026-07-28":                  func() bool { return r.Header.Get("Mcp-Method") != "" },
		"Expect: 100-continue":                   func() bool { return r.Header.Get("Expect") != "" && r.ContentLength < 1<<20 },
		"Connection: close":                      func() bool { return r.Close && r.ProtoMinor == 1 },
		"Cache-Control: only-if-cached":          func() bool { return r.Header.Get("Cache-Control") == "only-if-cached" },
		"no User-Agent":                          func() bool { return r.Header.Get("User-Agent") == "" },
		"client Inspector":                       func() bool { return x.bodyHas(`"name":"mcp-inspector"`) },
		"client Claude":                          func() bool { return x.bodyHas(`"name":"claude-ai"`) },
		"no body": func() bool {
			return r.Method == http.MethodPost && r.ContentLength == 0 && len(r.TransferEncoding) == 0 && plain
		},
		"body of 2 KiB":                func() bool { return r.ContentLength > 2<<10 && r.ContentLength < 4<<10 },
		"body of 300 KiB":              func() bool { return r.ContentLength > 300<<10 && r.ContentLength < 400<<10 },
		"body of 1.5 MiB":              func() bool { return r.ContentLength > 1<<20 && r.Header.Get("Expect") == "" },
		"body in chunks":               func() bool { return r.ContentLength < 0 && len(r.Trailer) == 0 && !x.isLong() },
		"body in chunks with trailers": func() bool { return len(r.Trailer) > 0 },
		"body that is no JSON":         func() bool { return x.bodyIs("hello") },
		"body that is empty JSON":      func() bool { return x.bodyIs("{}") },
		"PUT":                          func() bool { return r.Method == http.MethodPut },
		"PATCH":                        func() bool { return r.Method == http.MethodPatch },
		"HEAD":                         func() bool { return r.Method == http.MethodHead },
		"OPTIONS":                      func() bool { return r.Method == http.MethodOptions },
		"GET":                          func() bool { return r.Method == http.MethodGet && r.Header.Get("Last-Event-Id") == "" && plain },
		"DELETE":                       func() bool { return r.Method == http.MethodDelete && r.Header.Get("Mcp-Session-Id") == "" },
		"PROPFIND":                     func() bool { return r.Method == "PROPFIND" },
		"HTTP/1.0":                     func() bool { return r.ProtoMajor == 1 && r.ProtoMinor == 0 },
		"HTTP/2":                       func() bool { return r.ProtoMajor == 2 },
		"tools/call of no tool":        func() bool { return x.bodyHas(`"tools/call"`) && !x.bodyHas(`"arguments"`) },
		"tools/call of a tool":         func() bool { return x.bodyHas(`"tools/call"`) && x.bodyHas(`"arguments"`) && x.bodyHas(`"echo"`) },
		"notification":                 func() bool { return x.bodyHas(`"notifications/initialized"`) },
		"answer":                       func() bool { return x.bodyHas(`"result":{}`) },
		"batch":                        func() bool { return x.bodyStarts("[") },
		"slash at the end of the path": func() bool { return r.URL.Path == own+"/" },
		"path in upper case":           func() bool { return r.URL.Path == strings.ToUpper(own) },
		"path below":                   func() bool { return r.URL.Path == own+"/tools" },
		"dot segment in the path":      func() bool { return strings.Contains(r.URL.Path, "/..") },
		"double slash in the path":     func() bool { return strings.HasPrefix(r.URL.Path, "//") },
		"escaped slash in the path":    func() bool { return strings.Contains(r.URL.EscapedPath(), "%2F") },
		"semicolon in the path":        func() bool { return strings.Contains(r.URL.Path, ";") },
		"path /":                       func() bool { return r.URL.Path == "/" },
		"query":                        func() bool { return strings.Contains(r.URL.RawQuery, "healthz") },
		"absolute-form of the target":  func() bool { return strings.HasPrefix(r.RequestURI, "http") },
		"60th request of a connection": func() bool { return x.nth() >= 50 },
		"one of 16 at a time":          func() bool { return x.isCrowded() },
	}[name]; known {
		return tell()
	}
	if path, found := strings.CutPrefix(name, "path "); found {
		return r.URL.Path == path
	}
	if host, found := strings.CutPrefix(name, "Host "); found {
		return r.Host == host
	}
	if header, value, found := strings.Cut(name, ": "); found {
		return r.Header.Get(header) == value
	}
	// What is left is a method of JSON-RPC.
	return x.bodyHas(`"method":"`+name+`"`) && r.Header.Get("Mcp-Method") == "" && r.Header.Get("Mcp-Session-Id") == "" && x.nth() < 2
}

func (x *exchange) prefix() []byte {
	if x.request.Header.Get("Expect") != "" {
		return nil
	}
	data, _, _ := x.body.Prefetch(4 << 10)
	return data
}

func (x *exchange) bodyHas(text string) bool    { return bytes.Contains(x.prefix(), []byte(text)) }
func (x *exchange) bodyIs(text string) bool     { return string(x.prefix()) == text }
func (x *exchange) bodyStarts(text string) bool { return bytes.HasPrefix(x.prefix(), []byte(text)) }

func (x *exchange) isLong() bool {
	_, whole, _ := x.body.Prefetch(64 << 10)
	return !whole
}

// isGood tells whether an Authorization header would be let in.
func (x *exchange) isGood(authorization string) bool {
	return x.verifyToken(strings.TrimPrefix(authorization, "Bearer ")) == nil
}

// nth is how many requests have come on the connection.
func (x *exchange) nth() int64 { return countOf(x.request).Load() }

// inside is how many refused requests are looked at.
var inside atomic.Int64

// isCrowded tells whether there are many at a time. Who is not alone waits for more: on a busy machine they come one by one.
func (x *exchange) isCrowded() bool {
	inside.Add(1)
	defer inside.Add(-1)
	time.Sleep(20 * time.Millisecond)
	for range 100 {
		if n := inside.Load(); n < 2 || n >= 8 {
			return n >= 8
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

// stated are the claims of the token, which nobody has verified.
func (x *exchange) stated() map[string]any {
	_, claims := x.parsed()
	return claims
}

func (x *exchange) parsed() (header, claims map[string]any) {
	parts := strings.Split(strings.TrimPrefix(x.request.Header.Get("Authorization"), "Bearer "), ".")
	if len(parts) != 3 {
		return nil, nil
	}
	for i, into := range []*map[string]any{&header, &claims} {
		data, _ := base64.RawURLEncoding.DecodeString(parts[i])
		_ = json.Unmarshal(data, into)
	}
	return header, claims
}

// hasDefect tells what is wrong with a token, for those callers only that are not the prober's.
func (x *exchange) hasDefect(name string, denial *deny.Denial) bool {
	header, claims := x.parsed()
	subject, _ := claims["sub"].(string)
	client := subject != "" && !gateapi.IsProbeSubject(subject) && subject != "root" && claims["scope"] != nil
	ofClient := func(reason gateapi.Reason) bool { return client && denial.Reason == reason }
	switch name {
	case "no token":
		return denial.Reason == gateapi.ReasonMissingToken && x.nth() == 1
	case "malformed token":
		return denial.Reason == gateapi.ReasonMalformedToken
	case "forged token":
		return denial.Reason == gateapi.ReasonBadSignature && gateapi.IsProbeSubject(subject) && claims["scope"] != "root"
	case "token with another subject":
		return subject == "root"
	case "token with one more scope":
		return claims["scope"] == "root"
	case "token with a bit of its signature changed":
		return x.isNearlyGood()
	case "forged token of a client":
		return ofClient(gateapi.ReasonBadSignature)
	case "forged and expired token of a client":
		return ofClient(gateapi.ReasonExpired)
	case "forged token of a client for another server":
		return ofClient(gateapi.ReasonWrongAudience)
	case "forged token of a client of another issuer":
		return ofClient(gateapi.ReasonWrongIssuer)
	case "forged token of a client that is not valid yet":
		return ofClient(gateapi.ReasonNotYetValid)
	case "forged token of a client without an end":
		return ofClient(gateapi.ReasonMissingClaim)
	case "unsigned token of a client":
		return client && header["alg"] == "none"
	case "forged token of a client that names an unknown key":
		return ofClient(gateapi.ReasonUnknownKey)
	case "forged token of a client that is no access token":
		return ofClient(gateapi.ReasonWrongType)
	case "token of a client that had expired when it was signed":
		return denial.Reason == gateapi.ReasonExpired && !gateapi.IsProbeSubject(subject) && x.isSigned()
	}
	return false
}

// isSigned tells whether a key of the gate has signed the token, whatever else is wrong with it.
func (x *exchange) isSigned() bool { return x.signedBut(0) }

// isNearlyGood tells the same of a token of which a bit of the signature is another.
func (x *exchange) isNearlyGood() bool { return x.signedBut(1) }

func (x *exchange) signedBut(bits int) bool {
	raw := strings.TrimPrefix(x.request.Header.Get("Authorization"), "Bearer ")
	i := strings.LastIndex(raw, ".")
	if i < 0 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(raw[i+1:])
	if err != nil || len(signature) > 64 { // of RSA it would take too long
		return false
	}
	for _, set := range x.snapshot.Keys {
		for _, key := range set {
			if bits == 0 && key.Verify(raw[:i], signature) {
				return true
			}
			for b := range bits * 8 * len(signature) {
				signature[b/8] ^= 1 << (b % 8)
				signed := key.Verify(raw[:i], signature)
				signature[b/8] ^= 1 << (b % 8)
				if signed {
					return true
				}
			}
		}
	}
	return false
}
