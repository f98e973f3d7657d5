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
	// Providers are the issuers whose tokens the gate takes, at least one. The first gives the positive control of the check.
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
	// Seed makes the choices of a check the same again; 0 draws one. The Report has it.
	Seed uint64
	// Hosts are the names, with a port where clients send one, by which clients call the gate; it must take each for its own.
	Hosts []string
	// Turn is that of an earlier Report on the same gate. What a check asks a part of, it takes in turn.
	Turn Turn
	// Failures are those of an earlier Report on the same gate: each test case is asked again, as it was asked.
	Failures Failures
	// Elsewhere are failures of other gates of the same server: their test cases are asked too, as they were asked there, and
	// prove nothing of this gate by themselves.
	Elsewhere Failures
	// Proxied: a proxy stands before the gate, as that of a mesh does. Forms that it may answer itself, or change, are not
	// asked.
	Proxied bool
	// EachHost asks under each of Hosts, without a token and with a malformed one, beside all else.
	EachHost bool
	// RequestID gives the X-Request-Id of each request. Nil draws one that says nothing.
	RequestID func() string
	// Replay is that of an earlier Report on the same gate; the zero value is none.
	Replay Replay
	// Sessions are those of an earlier Report on the same gate: the positive control goes on in them. KeepSessions leaves those
	// of the check open for the next; else the check ends what it has opened.
	Sessions     Sessions
	KeepSessions bool
}

// Validate reports what makes no sense.
func (t Target) Validate() error {
	if err := t.validateURL(); err != nil {
		return err
	}
	keyless := func(p Provider) bool { return p.Tokens.Key.Algorithm() == "" && p.Bearer == "" }
	switch {
	case len(t.Providers) == 0:
		return errors.New("no provider: whose tokens shall be let in?")
	case slices.ContainsFunc(t.Providers, keyless):
		return errors.New("a provider has neither a key nor a token")
	case t.Tier != Full && t.Tier != Quick:
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

// Path is that of the URL, as it stands in a request line.
func (t Target) Path() string {
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
