package keys

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/MicahParks/jwkset"
)

type (
	jwk  = jwkset.JWKMarshal
	jwks = jwkset.JWKSMarshal
)

// maxIDLength bounds "kid", which a token's sender chooses and we look up.
const maxIDLength = 256

type entry struct {
	public Public
	key    any // the private key where the set holds it, else the public one
}

func encode(key any, id string, algorithm Algorithm, private bool) (jwk, error) {
	out, err := jwkset.NewJWKFromKey(key, jwkset.JWKOptions{
		Marshal:  jwkset.JWKMarshalOptions{Private: private},
		Metadata: jwkset.JWKMetadataOptions{KID: id, ALG: jwkset.ALG(algorithm), USE: jwkset.UseSig},
	})
	if err != nil {
		return jwk{}, fmt.Errorf("encode key %q: %w", id, err)
	}
	return out.Marshal(), nil
}

func decode(data []byte) ([]entry, error) {
	var set jwks
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("not a JWK Set: %w", err)
	}
	entries := make([]entry, 0, len(set.Keys))
	seen := map[string]bool{}
	for i, raw := range set.Keys {
		one, err := decodeOne(raw)
		if err != nil {
			return nil, fmt.Errorf("key %d (%q): %w", i, raw.KID, err)
		}
		if seen[raw.KID] {
			return nil, fmt.Errorf("key %d (%q): the kid is used twice", i, raw.KID)
		}
		seen[raw.KID] = true
		entries = append(entries, one)
	}
	return entries, nil
}

func decodeOne(raw jwk) (entry, error) {
	if err := checkMetadata(raw); err != nil {
		return entry{}, err
	}
	decoded, err := jwkset.NewJWKFromMarshal(raw, jwkset.JWKMarshalOptions{Private: true}, jwkset.JWKValidateOptions{})
	if err != nil {
		// The library's message can quote key material.
		return entry{}, fmt.Errorf("not a valid JWK")
	}
	key := decoded.Key()
	public := key
	if signer, ok := key.(crypto.Signer); ok {
		public = signer.Public()
	}
	algorithm, err := algorithmOf(public)
	if err != nil {
		return entry{}, err
	}
	if raw.ALG != "" && string(raw.ALG) != string(algorithm) {
		return entry{}, fmt.Errorf("alg %q does not fit the key, which serves %s", raw.ALG, algorithm)
	}
	return entry{public: Public{ID: raw.KID, Algorithm: algorithm, Key: public}, key: key}, nil
}

func checkMetadata(raw jwk) error {
	switch {
	case raw.KID == "" || len(raw.KID) > maxIDLength:
		return fmt.Errorf("kid must have 1 to %d characters", maxIDLength)
	case raw.USE != "" && raw.USE != jwkset.UseSig:
		return fmt.Errorf(`use is %q, want "sig"`, raw.USE)
	case len(raw.KEYOPS) > 0 && !slices.Contains(raw.KEYOPS, jwkset.KeyOpsVerify) && !slices.Contains(raw.KEYOPS, jwkset.KeyOpsSign):
		return fmt.Errorf(`key_ops %v allow neither "verify" nor "sign"`, raw.KEYOPS)
	case raw.KTY == jwkset.KtyOct:
		return fmt.Errorf("a symmetric key does not belong into a published set")
	}
	return nil
}

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
