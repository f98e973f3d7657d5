package keys

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/MicahParks/jwkset"

	"github.com/mcp-gatehouse/gatehouse/internal/exactjson"
)

type (
	jwk  = jwkset.JWKMarshal
	jwks = jwkset.JWKSMarshal
)

// maxIDLength bounds "kid", which a token's sender chooses and we look up.
const maxIDLength = 256

// foreign says why a key is none of ours. Issuers publish such keys beside ours, and may.
type foreign string

func (f foreign) Error() string { return string(f) }

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

// fullySpecified is the name of EdDSA with Ed25519 (RFC 9864 section 2.2). We know that algorithm by its older name.
const fullySpecified = "Ed25519"

// decode reads one JWK that is meant for the operation. The second result is its private half, nil if it has none.
func decode(raw jwk, operation jwkset.KEYOPS) (Public, crypto.Signer, error) {
	if raw.ALG == fullySpecified {
		raw.ALG = jwkset.ALG(EdDSA)
	}
	if err := checkPurpose(raw, operation); err != nil {
		return Public{}, nil, err
	}
	// Certificates do not matter here, and one that cannot be read must not cost us the key.
	raw.X5U, raw.X5C, raw.X5T, raw.X5TS256 = "", nil, "", ""
	decoded, err := jwkset.NewJWKFromMarshal(raw, jwkset.JWKMarshalOptions{Private: true}, jwkset.JWKValidateOptions{})
	switch {
	case errors.Is(err, jwkset.ErrInvalidKey) && raw.KTY == jwkset.KtyEC:
		return Public{}, nil, errors.New("the point is not on the curve")
	case err != nil:
		// The library's message can quote key material.
		return Public{}, nil, errors.New("not a valid JWK: a member is missing, badly encoded or out of range")
	}
	key := decoded.Key()
	private, _ := key.(crypto.Signer)
	if private != nil {
		key = private.Public()
	}
	public, err := describeKey(key, raw.KID, Algorithm(raw.ALG))
	return public, private, err
}

// describeKey makes a Public of a key for which a file states a "kid" and an "alg"; both may be empty.
func describeKey(key any, id string, stated Algorithm) (Public, error) {
	if err := admit(key); err != nil {
		return Public{}, err
	}
	fitting, err := served(key)
	if err != nil {
		return Public{}, err
	}
	switch {
	case stated == "" && len(fitting) == 1:
		stated = fitting[0]
	case stated != "" && !slices.Contains(fitting, stated):
		return Public{}, fmt.Errorf("alg %q does not fit the key, which serves %v", stated, fitting)
	}
	if id != "" {
		return Public{ID: id, Algorithm: stated, Key: key}, nil
	}
	id, err = Thumbprint(key)
	return Public{ID: id, Anonymous: true, Algorithm: stated, Key: key}, err
}

// checkPurpose tells keys that must not be in the file from keys that are merely of no use to us.
func checkPurpose(raw jwk, operation jwkset.KEYOPS) error {
	switch {
	case raw.KTY == jwkset.KtyOct:
		return errors.New("a symmetric key does not belong into a published set")
	case !slices.Contains(types, raw.KTY):
		return foreign(fmt.Sprintf("kty %.20q is not supported", raw.KTY))
	case raw.USE != "" && raw.USE != jwkset.UseSig:
		return foreign(fmt.Sprintf(`use is %.20q, not "sig"`, raw.USE))
	// An empty list allows nothing; no list, anything.
	case raw.KEYOPS != nil && !slices.Contains(raw.KEYOPS, operation):
		return foreign(fmt.Sprintf("key_ops are without %q", operation))
	case raw.ALG != "" && !slices.Contains(algorithms, Algorithm(raw.ALG)):
		return foreign(fmt.Sprintf("alg %.20q is not supported", raw.ALG))
	case raw.CRV != "" && !slices.Contains(curves, raw.CRV):
		return foreign(fmt.Sprintf("crv %.20q is not supported", raw.CRV))
	}
	return checkID(raw.KID)
}

// checkID bounds a "kid", which is only ever compared, and shown.
func checkID(id string) error {
	if len(id) > maxIDLength || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return foreign(fmt.Sprintf("no token can name it: a kid has at most %d characters, all visible ASCII", maxIDLength))
	}
	return nil
}

var (
	types  = []jwkset.KTY{jwkset.KtyEC, jwkset.KtyOKP, jwkset.KtyRSA, jwkset.KtyOct}
	curves = []jwkset.CRV{jwkset.CrvEd25519, jwkset.CrvP256, jwkset.CrvP384, jwkset.CrvP521}
)

// holdsPrivate tells whether any member of a private or symmetric key is there, complete or not (RFC 7518 section 6).
func holdsPrivate(raw jwk) bool {
	return raw.D+raw.P+raw.Q+raw.DP+raw.DQ+raw.QI+raw.K != "" || len(raw.OTH) > 0
}

// members takes a JWK Set apart without looking into its keys: what cannot be read in one is no fault of the others.
// Names are exact: a member "KEYS" is none of ours.
func members(data []byte) ([]json.RawMessage, error) {
	outer, err := exactjson.Members(data)
	if err != nil {
		return nil, fmt.Errorf("not a JWK Set: %w", err)
	}
	var set []json.RawMessage
	// The decoder's messages can quote what they found.
	if json.Unmarshal(outer["keys"], &set) != nil || set == nil {
		return nil, errors.New(`not a JWK Set: it must be a JSON object with an array "keys"`)
	}
	if len(set) > maxKeys {
		return nil, fmt.Errorf("%d keys are more than the %d that a set may have", len(set), maxKeys)
	}
	return set, nil
}

// parseJWK reads the members of one JWK by their exact names; a member "KID" is none of ours. What else is wrong with it
// is left to decode.
func parseJWK(data json.RawMessage) (jwk, error) {
	found, err := exactjson.Members(data)
	if err != nil {
		return jwk{}, fmt.Errorf("not a valid JWK: %w", err)
	}
	maps.DeleteFunc(found, func(name string, _ json.RawMessage) bool { return !slices.Contains(memberNames, name) })
	exact, err := json.Marshal(found)
	if err != nil {
		return jwk{}, errors.New("not a valid JWK: it is not valid JSON")
	}
	var raw jwk
	if err := json.Unmarshal(exact, &raw); err != nil {
		if isUnknownType(found["kty"]) {
			return jwk{}, foreign("its kty is not supported")
		}
		return jwk{}, errors.New("not a valid JWK: a member has the wrong JSON type")
	}
	return raw, nil
}

// memberNames are the members of a JWK that are read (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2).
var memberNames = []string{
	"kty", "use", "key_ops", "alg", "kid", "x5u", "x5c", "x5t", "x5t#S256",
	"crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi", "oth", "k",
}

// isUnknownType reports whether the value of "kty" is one whose other members may mean anything.
func isUnknownType(data json.RawMessage) bool {
	var kind jwkset.KTY
	return json.Unmarshal(data, &kind) == nil && kind != "" && !slices.Contains(types, kind)
}

// maxKeys bounds what a set from elsewhere can cost. Issuers have a handful.
const maxKeys = 100
