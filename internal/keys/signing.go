package keys

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/MicahParks/jwkset"
)

// Signing says what the file of a signing key leaves open, or which of its keys is meant.
type Signing struct {
	// ID is the "kid" of the tokens. Of a JWK Set it chooses the key; empty is the first. A PEM file and a shared secret
	// have no name of their own: with an empty ID, neither have their tokens.
	ID string
	// Algorithm is empty for that of the file, else the most usual one of the key's type.
	Algorithm Algorithm
}

// ErrNoKeyForm: the file of a signing key is in no form that can be recognized. Any text may be a shared secret, but
// nobody is to sign with the wrong file because it looks like one.
var ErrNoKeyForm = errors.New("neither PEM nor a JWK: if it is a shared secret, say so")

// ParseSigning reads the signing key of an issuer as people have it: PEM ("PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE
// KEY"), a JWK or a JWK Set with private members. What could not protect anything is refused as in a published set. No
// error quotes the file.
func ParseSigning(data []byte, want Signing) (Private, error) {
	switch trimmed := bytes.TrimSpace(data); {
	case len(trimmed) == 0:
		return Private{}, errors.New("the file is empty")
	case bytes.Contains(data, []byte(pemBegin)):
		return signingPEM(data, want)
	case trimmed[0] == '{':
		return signingJWK(trimmed, want)
	default:
		return Private{}, ErrNoKeyForm
	}
}

// ParseSigningSecret takes the whole file for a shared secret, by the rules of ParseSharedSecret.
func ParseSigningSecret(data []byte, want Signing) (Private, error) {
	set, err := ParseSharedSecret(data)
	if err != nil {
		return Private{}, err
	}
	return signing(set.Keys[0], nil, want)
}

func signingPEM(data []byte, want Signing) (Private, error) {
	blocks, damaged, err := pemBlocks(data)
	if err = cmp.Or(err, damaged); err != nil {
		return Private{}, err
	}
	var signer crypto.Signer
	for i, block := range blocks {
		if !strings.Contains(block.Type, "PRIVATE KEY") {
			continue // parameters of the curve, or the public half
		}
		if signer != nil {
			return Private{}, errors.New("the file has several private keys: keep the one that signs")
		}
		if signer, err = parsePrivateBlock(block); err != nil {
			return Private{}, fmt.Errorf("block %d (%.40q): %w", i, block.Type, err)
		}
	}
	if signer == nil {
		return Private{}, errors.New("there is no private key in the file: the public half cannot sign")
	}
	public, err := describeKey(signer.Public(), "", "")
	if err != nil {
		return Private{}, err
	}
	return signing(public, signer, want)
}

func parsePrivateBlock(block *pem.Block) (crypto.Signer, error) {
	var key any
	var err error
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return nil, errors.New("it is encrypted: decrypt it first, for example with openssl pkey")
	case block.Type == "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case block.Type == "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case block.Type == "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, errors.New("this kind of private key is not supported: convert it to PKCS #8, for example with openssl pkey")
	}
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		// The library's message can quote what it found.
		return nil, errors.New("its content is not what its label says, or of a kind that is not supported")
	}
	return signer, nil
}

func signingJWK(data []byte, want Signing) (Private, error) {
	var set struct{ Keys *[]json.RawMessage }
	if json.Unmarshal(data, &set) != nil || set.Keys == nil {
		return signingMember(data, want)
	}
	all, err := members(data)
	if err != nil {
		return Private{}, err
	}
	var ids []string
	for _, member := range all {
		var raw struct{ KID string }
		_ = json.Unmarshal(member, &raw)
		if want.ID == "" || raw.KID == want.ID {
			return signingMember(member, want)
		}
		ids = append(ids, fmt.Sprintf("%.40q", raw.KID))
	}
	if len(ids) == 0 {
		return Private{}, errors.New("the key set is empty")
	}
	return Private{}, fmt.Errorf("no key of the set has the kid %.40q: it has %s", want.ID, strings.Join(ids, ", "))
}

// signingMember reads one JWK. Unlike a published set, a file of an issuer may hold a symmetric key.
func signingMember(data json.RawMessage, want Signing) (Private, error) {
	var raw jwk
	if err := json.Unmarshal(data, &raw); err != nil {
		return Private{}, errors.New("not a valid JWK: a member is missing or has the wrong JSON type")
	}
	if raw.KTY == jwkset.KtyOct {
		return signingOctets(raw, want)
	}
	public, signer, err := decode(raw, jwkset.KeyOpsSign)
	switch {
	case err != nil:
		return Private{}, err
	case signer == nil:
		return Private{}, errors.New("the JWK has no private half: the public one cannot sign")
	}
	return signing(public, signer, want)
}

func signingOctets(raw jwk, want Signing) (Private, error) {
	secret, err := base64.RawURLEncoding.DecodeString(raw.K)
	if err != nil {
		return Private{}, errors.New(`not a valid JWK: "k" is not base64url`)
	}
	public, err := secretKey(secret)
	if err != nil {
		return Private{}, err
	}
	if public.Algorithm = Algorithm(raw.ALG); raw.KID != "" {
		public.ID, public.Anonymous = raw.KID, false
	}
	return signing(public, nil, want)
}

// signing gives the key its name and its one algorithm.
func signing(public Public, signer crypto.Signer, want Signing) (Private, error) {
	if want.ID != "" {
		if err := checkID(want.ID); err != nil {
			return Private{}, err
		}
		public.ID, public.Anonymous = want.ID, false
	}
	allowed := Algorithms()
	if want.Algorithm != "" {
		allowed = []Algorithm{want.Algorithm}
	}
	bound, fits := public.Bind(allowed)
	if !fits {
		return Private{}, fmt.Errorf("the key does not serve the algorithm %.20q", want.Algorithm)
	}
	return Private{public: bound, signer: signer}, nil
}
