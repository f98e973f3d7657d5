package probe

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// Target is one gate to try.
type Target struct {
	// URL is the MCP endpoint: http(s)://host[:port]/path, without credentials, query or fragment.
	URL string
	// CertificateSHA256 are digests, in hex, of certificates, one of which an https gate must show. No name, issuer or date
	// of it is looked at then. Empty: a certificate of RootCAs for the URL's host.
	CertificateSHA256 []string
	// RootCAs are trusted for https; nil is the system's.
	RootCAs *x509.CertPool
	// Providers are the issuers whose tokens the gate takes, at least one. The first gives the control of the round.
	Providers []Provider
	// Policy is what the gate enforces beside the tokens.
	Policy Policy
	// Tier says how much is asked; empty is Full.
	Tier Tier
	// Exact asks for the answers of Gatehouse's own gate: status, challenge, and a JSON-RPC error that names the one
	// thing that is wrong. Without it 401 and 403 count as a refusal, whatever they say, and what no standard asks of
	// every MCP server is left out.
	Exact bool
	// Timeout bounds each case as a whole, from the connection attempt to the last byte that matters. It must be
	// positive.
	Timeout time.Duration
	// ClockTolerance is the leeway that the gate grants on times. A larger difference between its clock and the
	// prober's makes the verdict ClockSkew. Less than 2 s is taken as 2 s.
	ClockTolerance time.Duration
	// Seed makes the choices of a round the same again; 0 draws one. The Report has it.
	Seed uint64
	// Hosts are the names, with a port where clients send one, by which clients call the gate; it must take each for its own.
	Hosts []string
	// Turn is that of an earlier Report on the same gate. What a round asks a part of, it takes in turn.
	Turn Turn
	// Failures are those of an earlier Report on the same gate: each question is asked again, as it was asked.
	Failures Failures
	// Proxied: a proxy stands before the gate, as that of a mesh does. Forms that it may answer itself, or change, are not asked.
	Proxied bool
	// Wary asks under each of Hosts, without a token and with a malformed one, beside all else.
	Wary bool
	// RequestID gives the X-Request-Id of each request. Nil draws one that says nothing.
	RequestID func() string
	// Replay is that of an earlier Report on the same gate; the zero value is none.
	Replay Replay
}

// Tier says how much of the cases a round asks.
type Tier string

const (
	// Full asks every case that the target's providers and policy allow.
	Full Tier = "Full"
	// Beat asks what a broken lock is most likely to fail, at little cost: no token, a malformed one, one of a wrong key or a
	// row of the catalogue of forms, in turn, and the control, once, at the end.
	Beat Tier = "Beat"
)

// Provider is one issuer of tokens, as far as the prober can play it.
type Provider struct {
	Name string
	// Tokens is the template of the control; every bad token is spoilt from it. Without a key there is the Bearer alone.
	Tokens token.Template
	// Required are claims of Tokens, each a text, that the gate takes with certain values only: they say for whom a token is.
	Required []string
	// Bearer is a good token that somebody else has minted. It is the control where Tokens has no key; cases for which a
	// token would have to be signed are skipped then.
	Bearer string
	// Retired are keys of this issuer that were in force once: a token of theirs must be refused.
	Retired []keys.Private
	// Public are keys of this issuer whose private half is elsewhere. Tokens are forged under their names, and signed with
	// their bytes as if they were a shared secret.
	Public []keys.Public
	// MaxTokenLifetime is the longest life that the gate grants a token; 0 is no bound.
	MaxTokenLifetime time.Duration
	// Leeway is what the gate grants on the times of this issuer's tokens, where that is more than ClockTolerance.
	Leeway time.Duration
	// ProbeKey: Tokens.Key is the gate's probe key for this issuer, and not one of the issuer's own. Tokens then has the
	// subject Subject, also in each of Tokens.Identity, the claim PodClaim with the UID of the gate's pod, and a Lifetime of
	// at most a minute; OtherCaller replaces the subject by OtherSubject wherever it stands.
	ProbeKey bool
	// OtherCaller are the claims by which the control becomes another caller's token, such as {"sub": "somebody else"}.
	// The gate must accept that one, too. Empty: nobody else tries to enter the control's session.
	OtherCaller map[string]any
}

// Policy is what a gate enforces beside the tokens. What is not set is not asked.
type Policy struct {
	// RequiredScopes are those that every token needs. The control has them all.
	RequiredScopes []string
	// Forbidden are calls that the control may not make.
	Forbidden []Call
	// Fenced: whose subject is reserved for probes may list and do nothing, whatever rules allow. It is asked of issuers
	// whose control goes by such a subject.
	Fenced bool
	// Allowed are calls that rules let the control make, as far as that is known; asked for if Fenced. Name calls there that
	// do no harm.
	Allowed []Call
	// Absent is a name that no tool, prompt or resource has, as it stands in the calls here; reports tell nothing of it.
	// Empty is AbsentName of the round's seed.
	Absent string
	// SessionBinding: a session belongs to the caller who opened it.
	SessionBinding bool
	// Guarded are calls for which rules want scopes or claims of their own.
	Guarded []Guarded
	// RevokedID is a "jti" on the gate's list of what is revoked, RevokedSubject a "sub" on it, and RevokedBefore a "sub"
	// whose tokens of today are too old for it.
	RevokedID, RevokedSubject, RevokedBefore string
	// TokenBytes is the longest token that the gate takes; 0 is no bound.
	TokenBytes int
	// Slash says what the path with one more slash at its end is.
	Slash Slash
	// ExtraPaths are further paths that the gate passes on, for whoever has a token.
	ExtraPaths []string
	// Metadata is the protected resource metadata that the gate publishes; nil if it publishes none.
	Metadata *ResourceMetadata
	// Hosts: a Host that is no name of the server is refused. Origins: so is the page of a foreign origin.
	Hosts, Origins bool
	// BodyBytes is the longest body that the gate takes; 0 is no bound.
	BodyBytes int64
}

// Call is something that a token may be good for or not.
type Call struct {
	// Method is a JSON-RPC method, such as "tools/call" or "resources/read".
	Method string
	// Name is the tool, the prompt or the URI of the resource; empty where the method has none.
	Name string
	// Scopes are all that a token needs for the call. Empty: no scope would help.
	Scopes []string
}

// Guarded is a call for which a rule wants more of a token than the control has, and what one token for it lacks.
type Guarded struct {
	// Method and Name are those of a Call. Should a gate let it pass, it must do nothing on any server: it is a method that
	// lists, or what it names is not there.
	Method, Name string
	// Scopes are all that a token needs for the call, and Claims those that it needs beside the control's. With them the
	// gate lets the call pass.
	Scopes []string
	Claims map[string]any
	// WithoutScope or WithoutClaim, one of them, is what the token lacks. The gate must refuse it for that: for want of
	// all Scopes, or for good.
	WithoutScope, WithoutClaim string
}

// Slash says what the path with one more slash at its end is.
type Slash string

const (
	// SlashDistinct: another path, which is not there.
	SlashDistinct Slash = "Distinct"
	// SlashSame: the same path.
	SlashSame Slash = "Same"
)

// ResourceMetadata is the protected resource metadata of RFC 9728.
type ResourceMetadata struct {
	// Resource is the URL that clients use for the server.
	Resource string
	// AuthorizationServers are issuer URLs.
	AuthorizationServers []string
}

func (t Target) validate() error {
	if err := t.validateURL(); err != nil {
		return err
	}
	keyless := func(p Provider) bool { return p.Tokens.Key.Algorithm() == "" && p.Bearer == "" }
	switch {
	case len(t.Providers) == 0:
		return errors.New("no provider: whose tokens shall be let in?")
	case slices.ContainsFunc(t.Providers, keyless):
		return errors.New("a provider has neither a key nor a token")
	case t.Tier != Full && t.Tier != Beat:
		return fmt.Errorf("there is no tier %q", t.Tier)
	case t.Timeout <= 0:
		return errors.New("the timeout must be positive")
	}
	return nil
}

// validateURL does not quote a URL that is wrong: credentials or a token may stand in it.
func (t Target) validateURL() error {
	parsed, err := url.Parse(t.URL)
	switch {
	case err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https"):
		return errors.New("the URL is not http(s)://host[:port]/path")
	case parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "":
		return errors.New("the URL must not have credentials, a query or a fragment")
	case len(t.CertificateSHA256) > 0 && (parsed.Scheme != "https" || slices.ContainsFunc(t.CertificateSHA256, isNoDigest)):
		return errors.New("the certificate's digest must be SHA-256 in hex, and the URL https")
	}
	return nil
}

// path is that of the URL, as it stands in a request line.
func (t Target) path() string {
	parsed, err := url.Parse(t.URL)
	if err != nil || parsed.EscapedPath() == "" {
		return "/"
	}
	return parsed.EscapedPath()
}

func isNoDigest(text string) bool {
	digest, err := hex.DecodeString(text)
	return err != nil || len(digest) != sha256.Size
}
