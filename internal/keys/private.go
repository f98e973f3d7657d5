package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/MicahParks/jwkset"
)

// Private is a key that signs. Its zero value is unusable; it comes from Generate, NewShared or ParsePrivate.
type Private struct {
	public Public
	// signer is ed25519.PrivateKey, *ecdsa.PrivateKey or *rsa.PrivateKey; nil for a shared secret, which is in public.
	signer crypto.Signer
}

// ID is the key's "kid": the RFC 7638 SHA-256 thumbprint of its public half. A shared secret has no "kid"; its ID is
// that of Public.
func (k Private) ID() string { return k.public.ID }

// Algorithm is the only algorithm that the key signs with.
func (k Private) Algorithm() Algorithm { return k.public.Algorithm }

// Public is the half that verifies. It may be shown to anyone, unless the key is a shared secret and has no halves.
func (k Private) Public() Public { return k.public }

// Secret is the part of the key that must not be shown: the seed of Ed25519, the scalar or exponent of other pairs, in
// big-endian order, or the shared secret.
func (k Private) Secret() []byte {
	switch signer := k.signer.(type) {
	case ed25519.PrivateKey:
		return signer.Seed()
	case *ecdsa.PrivateKey:
		scalar, _ := signer.Bytes() // a key that was made or read is on its curve
		return scalar
	case *rsa.PrivateKey:
		return signer.D.Bytes()
	}
	secret, _ := k.public.Key.([]byte)
	return secret
}

// Others are the same key with each other algorithm that its type, and for a shared secret its length, can serve. A
// verifier that holds a key to one algorithm takes nothing that they sign.
func (k Private) Others() []Private {
	fitting, err := served(k.public.Key)
	if err != nil {
		return nil
	}
	var others []Private
	for _, algorithm := range fitting {
		if algorithm != k.public.Algorithm {
			other := k
			other.public.Algorithm = algorithm
			others = append(others, other)
		}
	}
	return others
}

// Sign signs a JWS signing input (RFC 7515 section 5.1); the signature is not encoded.
func (k Private) Sign(text string) ([]byte, error) {
	method, known := methods[k.public.Algorithm]
	if !known {
		return nil, fmt.Errorf("sign: there is no algorithm %q", k.public.Algorithm)
	}
	var key any = k.signer
	if k.public.Algorithm.Symmetric() {
		key = k.public.Key
	}
	signature, err := method.Sign(text, key)
	if err != nil {
		return nil, fmt.Errorf("sign with key %q: %w", k.public.ID, err)
	}
	return signature, nil
}

// NewShared makes a signing key of a shared secret that verifies with the algorithm, or says why it cannot.
func NewShared(secret []byte, algorithm Algorithm) (Private, error) {
	public, err := secretKey(secret)
	if err != nil {
		return Private{}, err
	}
	public, fits := public.Bind([]Algorithm{algorithm})
	if !fits {
		return Private{}, fmt.Errorf("a shared secret of %d bytes does not serve %q", len(secret), algorithm)
	}
	return Private{public: public}, nil
}

// Signer gives the signing key of a shared secret that is bound to its algorithm: whoever can verify with one can sign.
// It is false for every other key.
func (k Public) Signer() (Private, bool) {
	_, shared := k.Key.([]byte)
	return Private{public: k}, shared && k.Algorithm.Symmetric()
}

// rsaBits is the length of new RSA keys.
const rsaBits = 3072

// Generate makes a new key: Ed25519, an elliptic curve, RSA of 3072 bits, or a secret as long as the hash.
func Generate(algorithm Algorithm) (Private, error) {
	var signer crypto.Signer
	var err error
	switch algorithm {
	case EdDSA:
		_, signer, err = ed25519.GenerateKey(rand.Reader)
	case ES256:
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case ES384:
		signer, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case ES512:
		signer, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case RS256, RS384, RS512, PS256, PS384, PS512:
		signer, err = rsa.GenerateKey(rand.Reader, rsaBits)
	case HS256:
		return generateShared(32, algorithm)
	case HS384:
		return generateShared(48, algorithm)
	case HS512:
		return generateShared(64, algorithm)
	default:
		return Private{}, fmt.Errorf("generate key: algorithm %q is not supported: use one of %v", algorithm, Algorithms())
	}
	if err != nil {
		return Private{}, fmt.Errorf("generate %s key: %w", algorithm, err)
	}
	id, err := Thumbprint(signer.Public())
	if err != nil {
		return Private{}, err
	}
	return Private{public: Public{ID: id, Algorithm: algorithm, Key: signer.Public()}, signer: signer}, nil
}

func generateShared(size int, algorithm Algorithm) (Private, error) {
	secret := make([]byte, size)
	if _, err := rand.Read(secret); err != nil {
		return Private{}, fmt.Errorf("generate %s key: %w", algorithm, err)
	}
	return NewShared(secret, algorithm)
}

// MarshalPrivate writes keys as a JWK Set with their private members. The first key is the one that signs. Shared
// secrets are an error: they are not ours to store.
func MarshalPrivate(set []Private) ([]byte, error) {
	out := jwks{Keys: []jwk{}}
	for _, key := range set {
		if key.signer == nil {
			return nil, fmt.Errorf("key %q has no private half to store", key.ID())
		}
		encoded, err := encode(key.signer, key.ID(), key.Algorithm(), true)
		if err != nil {
			return nil, err
		}
		out.Keys = append(out.Keys, encoded)
	}
	return json.Marshal(out)
}

// ParsePrivate reads what MarshalPrivate wrote. It refuses an empty set, a key without its private half, its "kid" or
// its algorithm, and all that ParsePublic refuses or leaves out.
func ParsePrivate(data []byte) ([]Private, error) {
	raw, err := members(data)
	if err != nil {
		return nil, err
	}
	var set []Private
	var problems []error
	for i, member := range raw {
		key, err := parsePrivateJWK(member)
		for _, other := range set {
			if err == nil && other.ID() == key.ID() {
				err = errors.New("the kid is used twice")
			}
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("key %d (%.40q): %w", i, key.ID(), err))
		}
		set = append(set, key)
	}
	if len(set) == 0 {
		problems = append(problems, errors.New("the key set is empty"))
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return set, nil
}

func parsePrivateJWK(data json.RawMessage) (Private, error) {
	raw, err := parseJWK(data)
	if err != nil {
		return Private{}, err
	}
	unread := Private{public: Public{ID: raw.KID}} // to name it
	public, signer, err := decode(raw, jwkset.KeyOpsSign)
	switch {
	case err != nil:
		return unread, err
	case signer == nil:
		return unread, errors.New("it has no private half")
	case public.Anonymous || public.Algorithm == "":
		return unread, errors.New("it has no kid or no alg")
	}
	return Private{public: public, signer: signer}, nil
}
