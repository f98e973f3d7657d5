package mcpfake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// checkJWT is a server that does check tokens, in the way of its own that some have: no challenge, and 403 for a token
// that is no good. What it lets in, it passes on.
func checkJWT(secret string) (answerer, error) { return checker(secret, false) }

// checkStrictJWT refuses most good tokens as well: only id, uuid and exp may stand in them.
func checkStrictJWT(secret string) (answerer, error) { return checker(secret, true) }

func checker(secret string, strict bool) (answerer, error) {
	return func(w http.ResponseWriter, r *http.Request, _ func(int)) fate {
		switch {
		case noBearer(r):
			refuse(w, r)
		case malformed(r) || expired(r) || early(r) || !signedBy(bearer(r), secret):
			writeJSON(w, http.StatusForbidden, map[string]string{"error": "the JWT could not be verified"})
		case strict && !sparse(bearer(r)):
			writeJSON(w, http.StatusForbidden, map[string]string{"error": "the JWT includes unsupported fields"})
		default:
			return untouched
		}
		return answered
	}, nil
}

// signedBy takes every signature for HS256, whatever "alg" says (RFC 7515 appendix A.1).
func signedBy(token, secret string) bool {
	cut := strings.LastIndex(token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(token[cut+1:])
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(token[:cut]))
	return err == nil && hmac.Equal(signature, mac.Sum(nil))
}

func sparse(token string) bool {
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	var claims map[string]any
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return false
	}
	for name := range claims {
		if name != "id" && name != "uuid" && name != "exp" {
			return false
		}
	}
	return true
}
