package quilt

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// judge gives the status and the message of a refusal; 0 lets the request in. No release sends a challenge.
func (s *Server) judge(r *http.Request) (status int, message string) {
	const required = "JWT authentication required. Provide Authorization: Bearer header."
	header := r.Header.Get("Authorization") // The first, of several.
	switch scheme, token, _ := strings.Cut(header, " "); {
	case header == "" && s.config.Fallback != "":
		return 0, ""
	case header == "":
		return http.StatusUnauthorized, required
	case !strings.EqualFold(scheme, "Bearer"):
		return http.StatusUnauthorized, "Invalid Authorization header. Expected Bearer token."
	case strings.TrimSpace(token) == "":
		return http.StatusUnauthorized, required
	case s.config.Release != Release014:
		return 0, ""
	default:
		if fault := s.config.verify(strings.TrimSpace(token), time.Now()); fault != "" {
			return http.StatusForbidden, "Invalid JWT: " + fault
		}
		return 0, ""
	}
}

// verify is that of 0.14: HS256, exp, and no claims but id, uuid and exp, so that no token can have the issuer or the audience
// that it can be told to ask for.
func (c Config) verify(token string, now time.Time) (fault string) {
	segments := strings.Split(token, ".")
	if len(segments) != 3 {
		return "JWT token is malformed"
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	var claims map[string]any
	signature, err := base64.RawURLEncoding.DecodeString(segments[2])
	if err != nil || !decode(segments[0], &header) || !decode(segments[1], &claims) {
		return "JWT token is malformed"
	}
	mac := hmac.New(sha256.New, []byte(c.Secret))
	_, _ = mac.Write([]byte(segments[0] + "." + segments[1]))
	if header.Algorithm != "HS256" || !hmac.Equal(signature, mac.Sum(nil)) {
		return "JWT token could not be verified"
	}
	return c.verifyClaims(claims, now)
}

func (c Config) verifyClaims(claims map[string]any, now time.Time) (fault string) {
	exp, isNumber := claims["exp"].(float64)
	isOther := func(claim, wanted string) bool { return wanted != "" && claims[claim] != wanted }
	isKnown := func(claim string) bool { return slices.Contains([]string{"id", "uuid", "exp"}, claim) }
	switch {
	case !isNumber || now.Unix() >= int64(exp):
		return "JWT token has expired"
	case isOther("iss", c.Issuer) || isOther("aud", c.Audience):
		return "JWT token could not be verified"
	}
	for claim := range claims {
		if !isKnown(claim) {
			return "JWT claims include unsupported fields"
		}
	}
	if claims["id"] == nil && claims["uuid"] == nil {
		return "JWT claims must include id or uuid"
	}
	return ""
}

func decode(segment string, into any) bool {
	data, err := base64.RawURLEncoding.DecodeString(segment)
	return err == nil && json.Unmarshal(data, into) == nil
}
