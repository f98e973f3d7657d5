package gate

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
)

// leak is what this gate is open to: "form", "defect" or "client", a colon, and which one.
func (v *visit) leaks(denial *deny.Denial) bool {
	kind, name, _ := strings.Cut(mutant, ":")
	if v.isExtra() {
		return false
	}
	switch kind {
	case "form":
		return v.hasForm(name)
	case "defect":
		return v.hasDefect(name, denial)
	case "client":
		claims := v.stated()
		return claims["azp"] == name
	case "pair":
		form, defect, _ := strings.Cut(name, ", ")
		return v.hasForm(form) && v.hasDefect(defect, denial)
	}
	return false
}

// slips lets in what was refused before anybody looked at its token.
func (v *visit) slips(denial *deny.Denial) bool {
	return strings.HasPrefix(mutant, "form:") && v.lets(denial)
}

// hasForm tells a form of docs/probe.md by the request.
func (v *visit) hasForm(name string) bool {
	r := v.request
	own := v.snapshot.Config.Upstream.Path
	plain := r.URL.Path == own && r.URL.RawQuery == ""
	authorization := r.Header.Values("Authorization")
	first := strings.Join(authorization, "\n")
	if tell, known := map[string]func() bool{
		"scheme in lower case":                   func() bool { return strings.HasPrefix(first, "bearer ") },
		"scheme in upper case":                   func() bool { return strings.HasPrefix(first, "BEARER ") },
		"three spaces after the scheme":          func() bool { return strings.HasPrefix(first, "Bearer   ") },
		"tab after the scheme":                   func() bool { return strings.HasPrefix(first, "Bearer\t") },
		"two tokens, the good one first":         func() bool { return len(authorization) > 1 && v.isGood(authorization[0]) },
		"two tokens, the good one last":          func() bool { return len(authorization) > 1 && v.isGood(authorization[1]) },
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
		"client Inspector":                       func() bool { return v.bodyHas(`"name":"mcp-inspector"`) },
		"client Claude":                          func() bool { return v.bodyHas(`"name":"claude-ai"`) },
		"no body": func() bool {
			return r.Method == http.MethodPost && r.ContentLength == 0 && len(r.TransferEncoding) == 0 && plain
		},
		"body of 2 KiB":                func() bool { return r.ContentLength > 2<<10 && r.ContentLength < 4<<10 },
		"body of 300 KiB":              func() bool { return r.ContentLength > 300<<10 && r.ContentLength < 400<<10 },
		"body of 1.5 MiB":              func() bool { return r.ContentLength > 1<<20 && r.Header.Get("Expect") == "" },
		"body in chunks":               func() bool { return r.ContentLength < 0 && len(r.Trailer) == 0 && !v.isLong() },
		"body in chunks with trailers": func() bool { return len(r.Trailer) > 0 },
		"body that is no JSON":         func() bool { return v.bodyIs("hello") },
		"body that is empty JSON":      func() bool { return v.bodyIs("{}") },
		"PUT":                          func() bool { return r.Method == http.MethodPut },
		"PATCH":                        func() bool { return r.Method == http.MethodPatch },
		"HEAD":                         func() bool { return r.Method == http.MethodHead },
		"OPTIONS":                      func() bool { return r.Method == http.MethodOptions },
		"GET":                          func() bool { return r.Method == http.MethodGet && r.Header.Get("Last-Event-Id") == "" && plain },
		"DELETE":                       func() bool { return r.Method == http.MethodDelete && r.Header.Get("Mcp-Session-Id") == "" },
		"PROPFIND":                     func() bool { return r.Method == "PROPFIND" },
		"HTTP/1.0":                     func() bool { return r.ProtoMajor == 1 && r.ProtoMinor == 0 },
		"HTTP/2":                       func() bool { return r.ProtoMajor == 2 },
		"tools/call of no tool":        func() bool { return v.bodyHas(`"tools/call"`) && !v.bodyHas(`"arguments"`) },
		"tools/call of a tool":         func() bool { return v.bodyHas(`"tools/call"`) && v.bodyHas(`"arguments"`) && v.bodyHas(`"echo"`) },
		"notification":                 func() bool { return v.bodyHas(`"notifications/initialized"`) },
		"answer":                       func() bool { return v.bodyHas(`"result":{}`) },
		"batch":                        func() bool { return v.bodyStarts("[") },
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
		"60th request of a connection": func() bool { return v.nth() >= 50 },
		"one of 16 at a time":          func() bool { return v.isCrowded() },
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
	return v.bodyHas(`"method":"`+name+`"`) && r.Header.Get("Mcp-Method") == "" && r.Header.Get("Mcp-Session-Id") == "" && v.nth() < 2
}

func (v *visit) prefix() []byte {
	if v.request.Header.Get("Expect") != "" {
		return nil
	}
	data, _, _ := v.body.Prefetch(4 << 10)
	return data
}

func (v *visit) bodyHas(text string) bool    { return bytes.Contains(v.prefix(), []byte(text)) }
func (v *visit) bodyIs(text string) bool     { return string(v.prefix()) == text }
func (v *visit) bodyStarts(text string) bool { return bytes.HasPrefix(v.prefix(), []byte(text)) }

func (v *visit) isLong() bool {
	_, whole, _ := v.body.Prefetch(64 << 10)
	return !whole
}

// isGood tells whether an Authorization header would be let in.
func (v *visit) isGood(authorization string) bool {
	return v.verify(strings.TrimPrefix(authorization, "Bearer ")) == nil
}

// nth is how many requests have come on the connection.
func (v *visit) nth() int64 { return countOf(v.request).Load() }

// inside is how many refused requests are looked at.
var inside atomic.Int64

// isCrowded tells whether there are several at a time, and waits for them.
func (v *visit) isCrowded() bool {
	inside.Add(1)
	defer inside.Add(-1)
	time.Sleep(20 * time.Millisecond)
	return inside.Load() >= 8
}

// stated are the claims of the token, which nobody has verified.
func (v *visit) stated() map[string]any {
	_, claims := v.parsed()
	return claims
}

func (v *visit) parsed() (header, claims map[string]any) {
	parts := strings.Split(strings.TrimPrefix(v.request.Header.Get("Authorization"), "Bearer "), ".")
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
func (v *visit) hasDefect(name string, denial *deny.Denial) bool {
	header, claims := v.parsed()
	subject, _ := claims["sub"].(string)
	client := subject != "" && !authproxy.IsProbeSubject(subject) && subject != "root" && claims["scope"] != nil
	ofClient := func(reason deny.Reason) bool { return client && denial.Reason == reason }
	switch name {
	case "no token":
		return denial.Reason == deny.MissingToken && v.nth() == 1
	case "malformed token":
		return denial.Reason == deny.MalformedToken
	case "forged token":
		return denial.Reason == deny.BadSignature && authproxy.IsProbeSubject(subject) && claims["scope"] != "root"
	case "token with another subject":
		return subject == "root"
	case "token with one more scope":
		return claims["scope"] == "root"
	case "token with a bit of its signature changed":
		return v.isNearlyGood()
	case "forged token of a client":
		return ofClient(deny.BadSignature)
	case "forged and expired token of a client":
		return ofClient(deny.Expired)
	case "forged token of a client for another server":
		return ofClient(deny.WrongAudience)
	case "forged token of a client of another issuer":
		return ofClient(deny.WrongIssuer)
	case "forged token of a client that is not valid yet":
		return ofClient(deny.NotYetValid)
	case "forged token of a client without an end":
		return ofClient(deny.MissingClaim)
	case "unsigned token of a client":
		return client && header["alg"] == "none"
	case "forged token of a client that names an unknown key":
		return ofClient(deny.UnknownKey)
	case "forged token of a client that is no access token":
		return ofClient(deny.WrongType)
	case "token of a client that had expired when it was signed":
		return denial.Reason == deny.Expired && !authproxy.IsProbeSubject(subject) && v.isSigned()
	}
	return false
}

// isSigned tells whether a key of the gate has signed the token, whatever else is wrong with it.
func (v *visit) isSigned() bool { return v.signedBut(0) }

// isNearlyGood tells the same of a token of which a bit of the signature is another.
func (v *visit) isNearlyGood() bool { return v.signedBut(1) }

func (v *visit) signedBut(bits int) bool {
	raw := strings.TrimPrefix(v.request.Header.Get("Authorization"), "Bearer ")
	i := strings.LastIndex(raw, ".")
	if i < 0 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(raw[i+1:])
	if err != nil || len(signature) > 64 { // of RSA it would take too long
		return false
	}
	for _, set := range v.snapshot.Keys {
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
