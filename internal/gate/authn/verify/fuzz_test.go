package verify_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/revocation"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// fuzzGate has one provider with an Ed25519 key, and one of shared secrets.
func fuzzGate(f *testing.F) (verifier *verify.Verifier, signer ed25519.PrivateKey, secret []byte) {
	f.Helper()
	public, signer, err := ed25519.GenerateKey(nil)
	must(f, err)
	secret = []byte("a shared secret of 32 characters")
	shared, err := keys.ParseSharedSecret(secret)
	must(f, err)
	return verify.New(gateapi.Config{
		Providers: []gateapi.Provider{
			{Name: "p", Issuer: "i", Audiences: []string{"a"}, Algorithms: []keys.Algorithm{keys.EdDSA}, TokenTypes: []string{"JWT", ""}},
			{Name: "q", Algorithms: []keys.Algorithm{keys.HS256}, TokenTypes: []string{"JWT", ""}, IdentityClaims: []string{"id"}},
		},
		Limits: gateapi.Limits{TokenBytes: 8 << 10},
	}, podUID, map[string][]keys.Public{
		"p": {{ID: "k", Algorithm: keys.EdDSA, Key: public}}, "q": shared.Keys,
	}, revocation.List{}, testClock), signer, secret
}

// FuzzToken: whatever the text, the verifier neither panics nor lets it in, unless it is the signer's own token.
func FuzzToken(f *testing.F) {
	verifier, signer, _ := fuzzGate(f)
	good := signed(signer, `{"alg":"EdDSA"}`, fmt.Sprintf(`{"iss":"i","aud":"a","sub":"s","exp":%d}`, now.Add(time.Hour).Unix()))
	for _, seed := range []string{good, token.Malformed, "", "..", "e30.e30.", good + "A", strings.ToLower(good)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		principal, denial := verifier.Verify(raw)
		judgeVerdict(t, principal, denial)
		if denial == nil && raw != good {
			t.Errorf("accepted %q", raw)
		}
	})
}

// Who signs a token of FuzzVerify, and how.
const (
	byKey = iota
	byStranger
	bySecret
	byEmptySecret
	byPublicKey // taken for a secret
	byNobody
	waysToSign
)

// FuzzVerify: whatever stands in header and claims, nobody comes in but with a signature of a configured key, made here
// without the library that the gate verifies with, over claims that another JSON parser finds good as well.
func FuzzVerify(f *testing.F) {
	verifier, signer, secret := fuzzGate(f)
	_, stranger, err := ed25519.GenerateKey(nil)
	must(f, err)
	exp := now.Add(time.Hour).Unix()
	for way := range waysToSign {
		f.Add([]byte(`{"alg":"EdDSA","typ":"JWT","kid":"k"}`), fmt.Appendf(nil, `{"iss":"i","aud":["b","a"],"sub":"s","exp":%d,"scope":"x"}`, exp), byte(way))
		f.Add([]byte(`{"alg":"HS256"}`), fmt.Appendf(nil, `{"id":7,"exp":%d.5}`, exp), byte(way))
		f.Add([]byte(`{"alg":"none","crit":[]}`), []byte(`{"exp":1e12,"nbf":0,"iat":-1,"cnf":{}}`), byte(way))
	}
	f.Fuzz(func(t *testing.T, header, claims []byte, way byte) {
		var raw string
		switch way % waysToSign {
		case byKey:
			raw = signed(signer, string(header), string(claims))
		case byStranger:
			raw = signed(stranger, string(header), string(claims))
		case bySecret:
			raw = hs256(string(header), string(claims), secret)
		case byEmptySecret:
			raw = hs256(string(header), string(claims), nil)
		case byPublicKey:
			raw = hs256(string(header), string(claims), signer.Public().(ed25519.PublicKey))
		default:
			raw = encode(header) + "." + encode(claims) + "."
		}
		principal, denial := verifier.Verify(raw)
		judgeVerdict(t, principal, denial)
		again, deniedAgain := verifier.Verify(raw)
		if (denial == nil) != (deniedAgain == nil) || principal.Subject() != again.Subject() || principal.Provider() != again.Provider() {
			t.Errorf("first %+v %+v, then %+v %+v", principal, denial, again, deniedAgain)
		}
		if denial != nil {
			return
		}
		switch principal.Provider() {
		case "p":
			mayEnter(t, way%waysToSign == byKey, header, claims, "EdDSA")
		case "q":
			mayEnter(t, way%waysToSign == bySecret, header, claims, "HS256")
		default:
			t.Errorf("accepted for %q", principal.Provider())
		}
	})
}

func signed(signer ed25519.PrivateKey, header, claims string) string {
	text := encode([]byte(header)) + "." + encode([]byte(claims))
	return text + "." + encode(ed25519.Sign(signer, []byte(text)))
}

func judgeVerdict(t *testing.T, principal verify.Principal, denial *deny.Denial) {
	t.Helper()
	if (denial == nil) != principal.Valid() {
		t.Errorf("a verdict that is both: %+v %+v", principal, denial)
	}
	if denial != nil && !slices.Contains(gateapi.TokenReasons(), denial.Reason) {
		t.Errorf("refused with the reason %q", denial.Reason)
	}
}

// mayEnter reads the token with another parser, into maps, and wants it to find the same.
func mayEnter(t *testing.T, signedRight bool, rawHeader, rawClaims []byte, algorithm string) {
	t.Helper()
	if !signedRight {
		t.Errorf("accepted without a signature of ours: %s %s", rawHeader, rawClaims)
	}
	var header, claims fields
	if json.Unmarshal(rawHeader, &header) != nil || json.Unmarshal(rawClaims, &claims) != nil {
		t.Errorf("accepted what is no JSON: %s %s", rawHeader, rawClaims)
	}
	_, critical := header["crit"]
	if header["alg"] != algorithm || critical || header["typ"] != nil && !strings.HasSuffix(strings.ToLower(header["typ"].(string)), "jwt") {
		t.Errorf("accepted the header %s", rawHeader)
	}
	seconds := float64(now.Unix())
	exp, hasEnd := claims["exp"].(float64)
	nbf, _ := claims["nbf"].(float64)
	iat, _ := claims["iat"].(float64)
	_, bound := claims["cnf"]
	if !hasEnd || exp <= seconds || nbf >= seconds+0.001 || iat >= seconds+0.001 || bound {
		t.Errorf("accepted the claims %s", rawClaims)
	}
	if algorithm == "EdDSA" {
		audiences, _ := claims["aud"].([]any)
		if claims["iss"] != "i" || claims["sub"] == "" || claims["aud"] != "a" && !slices.Contains(audiences, any("a")) {
			t.Errorf("accepted the claims %s", rawClaims)
		}
		return
	}
	_, issued := claims["iss"]
	_, meant := claims["aud"]
	if issued || meant || claims["id"] == nil || claims["id"] == "" {
		t.Errorf("accepted the claims %s", rawClaims)
	}
}
