// Package selftest asks a gate, over its own port, with requests that nobody needs a secret to make, and wants each
// refused for its own reason. A gate that has not seen itself refuse is not ready.
//
// It must not know how the gate refuses.
package selftest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/certificate"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/audit"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// The verdicts that are no list of problems.
const (
	Passed  = "passed"
	Pending = "pending"
)

const timeout = 5 * time.Second

// Test is the self-test of one gate. It is not safe for concurrent use.
type Test struct {
	// Certificate is what the gate shows; nil without TLS.
	Certificate *certificate.Store
	// RequestID makes an id by which the requests are not counted as a client's.
	RequestID func() string

	// unknown are keys that nobody knows, one per algorithm; making an RSA key takes long.
	unknown map[keys.Algorithm]keys.Private
}

// attempt is one request and the reason for which it must be refused.
type attempt struct {
	name, authorization string
	want                gateapi.Reason
}

// Run returns an error that names each attempt that did not go as it must.
func (t *Test) Run(ctx context.Context, address string, current *snapshot.Snapshot, now time.Time) error {
	attempts, err := t.attempts(current, now)
	if err != nil {
		return err
	}
	scheme, transport := "http://", &http.Transport{DisableKeepAlives: true}
	if t.Certificate != nil {
		scheme, transport.TLSClientConfig = "https://", t.Certificate.SelfConfig()
	}
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       timeout,
	}
	var problems []error
	for _, a := range attempts {
		if err := a.try(ctx, client, scheme+address+current.Config.Upstream.Path, t.RequestID()); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", a.name, err))
		}
	}
	return errors.Join(problems...)
}

func (t *Test) attempts(current *snapshot.Snapshot, now time.Time) ([]attempt, error) {
	attempts := []attempt{
		{"no token", "", gateapi.ReasonMissingToken},
		{"malformed token", "Bearer " + token.Malformed, gateapi.ReasonMalformedToken},
	}
	for _, provider := range current.Config.Providers {
		raw, err := t.mint(keys.ES256, provider, now)
		if err != nil {
			return nil, err
		}
		unsigned, err := token.Unsigned(raw)
		if err != nil {
			return nil, err
		}
		attempts = append(attempts, attempt{"alg none for " + provider.Name, "Bearer " + unsigned, gateapi.ReasonUnsupportedAlgorithm})
		for _, key := range victims(current, provider) {
			raw, err := t.mint(key.Algorithm, provider, now)
			if err != nil {
				return nil, err
			}
			forged, err := token.ForgedFor(raw, key, t.unknown[key.Algorithm])
			if err != nil {
				return nil, err
			}
			attempts = append(attempts, attempt{"forgery for " + provider.Name, "Bearer " + forged, gateapi.ReasonBadSignature})
		}
	}
	return attempts, nil
}

// victims are the keys in whose name tokens of the provider are forged: its own, and if it has any, the probe key.
func victims(current *snapshot.Snapshot, provider gateapi.Provider) []keys.Public {
	own, more := current.Keys[provider.Name], current.Config.ProbeKey
	if len(own) == 0 || more == nil || !slices.Contains(more.Providers, provider.Name) {
		return own
	}
	public, err := more.Public()
	if err != nil { // ParseConfig has refused it.
		return own
	}
	return append(slices.Clip(own), public)
}

// mint makes a token that is good for its provider but for its signature, by a key that nobody knows.
func (t *Test) mint(algorithm keys.Algorithm, provider gateapi.Provider, now time.Time) (string, error) {
	if _, made := t.unknown[algorithm]; !made {
		key, err := keys.Generate(algorithm)
		if err != nil {
			return "", err
		}
		if t.unknown == nil {
			t.unknown = map[keys.Algorithm]keys.Private{}
		}
		t.unknown[algorithm] = key
	}
	const subject = "gatehouse-self-test"
	template := token.Template{
		Key: t.unknown[algorithm], Issuer: provider.Issuer, Subject: subject, Lifetime: time.Minute, Claims: map[string]any{},
	}
	if len(provider.Audiences) > 0 {
		template.Audience = provider.Audiences[0]
	}
	if len(provider.TokenTypes) > 0 {
		if template.Type = provider.TokenTypes[0]; template.Type == "" {
			template.Type = token.NoType
		}
	}
	for _, name := range provider.IdentityClaims {
		template.Claims[name] = subject
	}
	for _, want := range provider.RequiredClaims {
		template.Claims[want.Name] = want.Values[0]
	}
	return template.Good(now)
}

func (a attempt) try(ctx context.Context, client *http.Client, target, requestID string) error {
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(ping))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(audit.RequestIDHeader, requestID)
	if a.authorization != "" {
		request.Header.Set("Authorization", a.authorization)
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	const enough = 64 << 10
	raw, err := io.ReadAll(io.LimitReader(response.Body, enough))
	if err != nil {
		return err
	}
	var answer struct {
		Error struct {
			Data struct{ Reason gateapi.Reason }
		}
	}
	readable := json.NewDecoder(bytes.NewReader(raw)).Decode(&answer) == nil
	challenged := strings.HasPrefix(response.Header.Get("WWW-Authenticate"), "Bearer ")
	if !readable || !challenged || response.StatusCode != http.StatusUnauthorized || answer.Error.Data.Reason != a.want {
		return fmt.Errorf("got status %d and reason %q, want 401 and %q",
			response.StatusCode, answer.Error.Data.Reason, a.want)
	}
	return nil
}
