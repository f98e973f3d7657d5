package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// What follows spoils a token that somebody has minted: it needs no key of the issuer's. The parts that are not meant
// stay as they are, byte for byte.

// ErrOpaque: the token is no signed JWT in compact form (RFC 7515 section 7.1), so there is nothing in it to change.
var ErrOpaque = errors.New("the token is no signed JWT")

var encoding = base64.RawURLEncoding

type compact struct {
	header, claims map[string]any
	parts          []string
}

func parse(raw string) (compact, error) {
	out := compact{parts: strings.Split(raw, ".")}
	if len(out.parts) != 3 {
		return compact{}, ErrOpaque
	}
	for i, into := range []*map[string]any{&out.header, &out.claims} {
		decoded, err := encoding.DecodeString(out.parts[i])
		if err != nil {
			return compact{}, ErrOpaque
		}
		decoder := json.NewDecoder(strings.NewReader(string(decoded)))
		decoder.UseNumber()
		if decoder.Decode(into) != nil || *into == nil {
			return compact{}, ErrOpaque
		}
	}
	return out, nil
}

// Algorithm is the "alg" of a token, which nobody has verified, by the name that package keys has for it.
func Algorithm(raw string) (keys.Algorithm, error) {
	token, err := parse(raw)
	if err != nil {
		return "", err
	}
	name, _ := token.header["alg"].(string)
	if name == "Ed25519" { // RFC 9864 section 2.2
		return keys.EdDSA, nil
	}
	return keys.Algorithm(name), nil
}

// Stated is what a token says of itself; nobody has verified it.
type Stated struct {
	// Issuer is its "iss"; empty: it has none.
	Issuer string
	// Expires is its "exp"; zero: it has none.
	Expires time.Time
}

// Read gives what a token says of itself.
func Read(raw string) (Stated, error) {
	token, err := parse(raw)
	if err != nil {
		return Stated{}, err
	}
	out := Stated{}
	out.Issuer, _ = token.claims["iss"].(string)
	if number, ok := token.claims["exp"].(json.Number); ok {
		if seconds, err := number.Float64(); err == nil {
			out.Expires = time.Unix(int64(seconds), 0)
		}
	}
	return out, nil
}

// Flipped changes one bit of the signature; which one, is taken modulo their number.
func Flipped(raw string, bit uint64) (string, error) {
	token, err := parse(raw)
	if err != nil {
		return "", err
	}
	signature, err := encoding.DecodeString(token.parts[2])
	if err != nil || len(signature) == 0 {
		return "", ErrOpaque
	}
	bit %= uint64(len(signature)) * 8
	signature[bit/8] ^= 1 << (bit % 8)
	return token.parts[0] + "." + token.parts[1] + "." + encoding.EncodeToString(signature), nil
}

// Tampered gives the token another value of a claim, under the signature that it has.
func Tampered(raw, claim string, value any) (string, error) {
	token, err := parse(raw)
	if err != nil {
		return "", err
	}
	token.claims[claim] = value
	claims, err := segment(token.claims)
	return token.parts[0] + "." + claims + "." + token.parts[2], err
}

// Unsigned takes the signature from the token and writes "none" for its algorithm.
func Unsigned(raw string) (string, error) {
	token, err := parse(raw)
	if err != nil {
		return "", err
	}
	token.header["alg"] = "none"
	header, err := segment(token.header)
	return header + "." + token.parts[1] + ".", err
}

// Forged signs the token's own header and claims with another key. The algorithm of the key must be that of the token.
func Forged(raw string, key keys.Private) (string, error) {
	token, err := parse(raw)
	if err != nil {
		return "", err
	}
	signed := token.parts[0] + "." + token.parts[1]
	signature, err := key.Sign(signed)
	if err != nil {
		return "", fmt.Errorf("forge token: %w", err)
	}
	return signed + "." + encoding.EncodeToString(signature), nil
}

// ForgedFor is Forged in the name of a public key, whose private half the other key claims to be.
func ForgedFor(raw string, victim keys.Public, key keys.Private) (string, error) {
	token, err := parse(raw)
	if err != nil {
		return "", err
	}
	named, err := token.under(victim, string(key.Algorithm()))
	if err != nil {
		return "", err
	}
	return Forged(named+"."+token.parts[1]+".", key)
}

// Confused signs the token in the name of a public key, with bytes that everybody knows for the secret of HS256: those of
// that key (RFC 8725 section 2.1).
func Confused(raw string, victim keys.Public, secret []byte) (string, error) {
	token, err := parse(raw)
	if err != nil {
		return "", err
	}
	header, err := token.under(victim, string(keys.HS256))
	if err != nil {
		return "", err
	}
	signed := header + "." + token.parts[1]
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(signed))
	return signed + "." + encoding.EncodeToString(mac.Sum(nil)), nil
}

// under is the token's header with the name of a key and an algorithm.
func (c compact) under(key keys.Public, algorithm string) (string, error) {
	c.header["alg"] = algorithm
	if delete(c.header, "kid"); !key.Anonymous {
		c.header["kid"] = key.ID
	}
	return segment(c.header)
}

func segment(members map[string]any) (string, error) {
	data, err := json.Marshal(members)
	if err != nil {
		return "", fmt.Errorf("write token: %w", err)
	}
	return encoding.EncodeToString(data), nil
}

// Retold gives the token other values of claims, nil for one that is left out, and of header members, under the signature
// that it has: sign it with Forged.
func Retold(raw string, claims, header map[string]any) (string, error) {
	token, err := parse(raw)
	if err != nil {
		return "", err
	}
	for _, change := range []struct{ into, members map[string]any }{{token.claims, claims}, {token.header, header}} {
		for name, value := range change.members {
			if change.into[name] = value; value == nil {
				delete(change.into, name)
			}
		}
	}
	first, err := segment(token.header)
	if err != nil {
		return "", err
	}
	second, err := segment(token.claims)
	return first + "." + second + "." + token.parts[2], err
}
