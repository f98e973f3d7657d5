package keys

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/MicahParks/jwkset"
)

// Thumbprint is the base64url SHA-256 thumbprint of a public key (RFC 7638, RFC 8037 section 2).
func Thumbprint(public crypto.PublicKey) (string, error) {
	encoded, err := encode(public, "", "", false)
	if err != nil {
		return "", err
	}
	// Members in lexicographic order, no white space: struct order and Marshal give exactly that.
	var canonical any
	switch encoded.KTY {
	case jwkset.KtyEC:
		canonical = struct {
			CRV jwkset.CRV `json:"crv"`
			KTY jwkset.KTY `json:"kty"`
			X   string     `json:"x"`
			Y   string     `json:"y"`
		}{encoded.CRV, encoded.KTY, encoded.X, encoded.Y}
	case jwkset.KtyOKP:
		canonical = struct {
			CRV jwkset.CRV `json:"crv"`
			KTY jwkset.KTY `json:"kty"`
			X   string     `json:"x"`
		}{encoded.CRV, encoded.KTY, encoded.X}
	case jwkset.KtyRSA:
		canonical = struct {
			E   string     `json:"e"`
			KTY jwkset.KTY `json:"kty"`
			N   string     `json:"n"`
		}{encoded.E, encoded.KTY, encoded.N}
	default:
		return "", fmt.Errorf("no thumbprint for key type %q", encoded.KTY)
	}
	data, err := json.Marshal(canonical)
	if err != nil {
		return "", fmt.Errorf("thumbprint: %w", err)
	}
	sum := sha256.Sum256(data)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}
