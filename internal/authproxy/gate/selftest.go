package gate

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

	"github.com/golang-jwt/jwt/v5"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/audit"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/certificate"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/claimpath"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

const (
	selfTestPassed  = "passed"
	selfTestPending = "pending"
	selfTestTimeout = 5 * time.Second
)

// selfTest asks the gate, over its own port, with requests that nobody needs a secret to make, and wants each refused
// for its own reason. A gate that has not seen itself refuse is not ready.
type selfTest struct {
	// strangers are keys that nobody knows, one per algorithm; making an RSA key takes long.
	strangers map[keys.Algorithm]keys.Private
	// certificate is what the gate shows; nil without TLS.
	certificate *certificate.Store
	// requestID makes an id by which the requests are not counted as a client's.
	requestID func() string
}

// attempt is one request and the reason for which it must be refused.
type attempt struct {
	name, authorization string
	want                deny.Reason
}

// run gives an error that names each attempt that did not go as it must.
func (t *selfTest) run(ctx context.Context, address string, current *snapshot.Snapshot, now time.Time) error {
	attempts, err := t.attempts(current, now)
	if err != nil {
		return err
	}
	scheme, transport := "http://", &http.Transport{DisableKeepAlives: true}
	if t.certificate != nil {
		scheme, transport.TLSClientConfig = "https://", t.certificate.SelfConfig()
	}
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       selfTestTimeout,
	}
	var problems []error
	for _, a := range attempts {
		if err := a.try(ctx, client, scheme+address+current.Config.Upstream.Path, t.requestID()); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", a.name, err))
		}
	}
	return errors.Join(problems...)
}

func (t *selfTest) attempts(current *snapshot.Snapshot, now time.Time) ([]attempt, error) {
	attempts := []attempt{
		{"no token", "", deny.MissingToken},
		{"malformed token", "Bearer not-a-valid-jwt-token", deny.MalformedToken},
	}
	for _, provider := range current.Config.Providers {
		unsigned, err := mint("none", func(string) ([]byte, error) { return nil, nil }, provider, "", now)
		if err != nil {
			return nil, err
		}
		attempts = append(attempts, attempt{"alg none for " + provider.Name, "Bearer " + unsigned, deny.UnsupportedAlgorithm})
		for _, key := range victims(current, provider) {
			stranger, err := t.stranger(key.Algorithm)
			if err != nil {
				return nil, err
			}
			keyID := key.ID
			if key.Anonymous {
				keyID = ""
			}
			forged, err := mint(key.Algorithm, stranger.Sign, provider, keyID, now)
			if err != nil {
				return nil, err
			}
			attempts = append(attempts, attempt{"forgery for " + provider.Name, "Bearer " + forged, deny.BadSignature})
		}
	}
	return attempts, nil
}

// victims are the keys in whose name tokens of the provider are forged: its own, and if it has any, the probe key.
func victims(current *snapshot.Snapshot, provider authproxy.Provider) []keys.Public {
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

func (t *selfTest) stranger(algorithm keys.Algorithm) (keys.Private, error) {
	if known, ok := t.strangers[algorithm]; ok {
		return known, nil
	}
	made, err := keys.Generate(algorithm)
	if err != nil {
		return keys.Private{}, err
	}
	if t.strangers == nil {
		t.strangers = map[keys.Algorithm]keys.Private{}
	}
	t.strangers[algorithm] = made
	return made, nil
}

// mint makes a token that is good for its provider but for its signature.
func mint(algorithm keys.Algorithm, sign func(string) ([]byte, error), provider authproxy.Provider, keyID string, now time.Time) (string, error) {
	header := map[string]any{"alg": algorithm, "typ": "at+jwt"}
	if len(provider.TokenTypes) > 0 {
		header["typ"] = provider.TokenTypes[0]
	}
	if header["typ"] == "" {
		delete(header, "typ")
	}
	if keyID != "" {
		header["kid"] = keyID
	}
	claims := jwt.MapClaims{"sub": "gatehouse-self-test"}
	for _, name := range provider.IdentityClaims {
		claimpath.MustParse(name).Set(claims, "gatehouse-self-test")
	}
	for _, want := range provider.RequiredClaims {
		claimpath.MustParse(want.Name).Set(claims, want.Values[0])
	}
	claims["iat"], claims["exp"] = now.Unix(), now.Add(time.Minute).Unix()
	if provider.Issuer != "" {
		claims["iss"] = provider.Issuer
	}
	if len(provider.Audiences) > 0 {
		claims["aud"] = provider.Audiences[0]
	}
	token := jwt.Token{Header: header, Claims: claims}
	text, err := token.SigningString()
	if err != nil {
		return "", fmt.Errorf("mint a token for the self-test: %w", err)
	}
	signature, err := sign(text)
	if err != nil {
		return "", fmt.Errorf("mint a token for the self-test: %w", err)
	}
	return text + "." + token.EncodeSegment(signature), nil
}

func (a attempt) try(ctx context.Context, client *http.Client, url, requestID string) error {
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(ping))
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
			Data struct{ Reason deny.Reason }
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
