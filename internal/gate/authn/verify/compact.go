package verify

import (
	"encoding/base64"
	"strings"
)

const maxHeaderBytes = 4 << 10

// compact is a JWS in compact serialization (RFC 7515 section 7.1), decoded and not yet believed.
type compact struct {
	header object
	claims object
	// signed is what the signature covers. The signature is still encoded: one that cannot be decoded is a bad one.
	signed    string
	signature string
}

// encoding refuses padding, and trailing bits that would give one token several spellings.
var encoding = base64.RawURLEncoding.Strict()

// split decodes a token; ok is false for anything but three base64url segments of which two are JSON objects.
func split(raw string) (token compact, ok bool) {
	// Go's base64 skips line ends, so the alphabet is checked first (RFC 8725 section 3.1 asks for the format check).
	if strings.Count(raw, ".") != 2 || strings.ContainsFunc(raw, isNoTokenChar) {
		return compact{}, false
	}
	header, rest, _ := strings.Cut(raw, ".")
	claims, signature, _ := strings.Cut(rest, ".")
	if encoding.DecodedLen(len(header)) > maxHeaderBytes {
		return compact{}, false
	}
	token = compact{signed: raw[:len(raw)-len(signature)-1], signature: signature}
	if token.header, ok = decodeObject(header); !ok {
		return compact{}, false
	}
	if token.claims, ok = decodeObject(claims); !ok {
		return compact{}, false
	}
	return token, true
}

func isNoTokenChar(c rune) bool {
	return c != '.' && c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
}

func decodeObject(segment string) (object, bool) {
	data, err := encoding.DecodeString(segment)
	if err != nil {
		return nil, false
	}
	return parseObject(data)
}
