package keys

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// ParseSharedSecret takes the whole file for one HMAC key, byte for byte: nothing is decoded and nothing trimmed. The
// key is Anonymous, and its algorithm is unstated.
//
// Text with white space at an end is refused. A line end there may be the editor's or the key's: an issuer that reads
// the file as lines leaves it out, one that reads an environment variable made from the same Secret does not, and to
// guess wrong is to refuse every token. Bytes that are no text may end in any byte.
//
// Also refused: less than 32 bytes (RFC 7518 section 3.2), a short pattern repeated, and PEM or a JWK Set, since whoever
// has a public key could sign with it as a secret.
func ParseSharedSecret(data []byte) (Set, error) {
	switch trimmed := bytes.TrimSpace(data); {
	case len(data) == 0:
		return Set{}, errors.New("the file is empty")
	case bytes.Contains(data, []byte(pemBegin)):
		return Set{}, errors.New("not a shared secret but PEM: use the format PEM")
	case bytes.HasPrefix(trimmed, []byte("{")) && json.Valid(data):
		return Set{}, errors.New("not a shared secret but JSON: use the format JWKS")
	case len(trimmed) < len(data) && isText(data):
		return Set{}, errors.New("the secret is a text with white space at an end, and whether that belongs to the key nobody " +
			"can tell: write it without, as printf %s or kubectl create secret --from-literal do")
	}
	key, err := secretKey(bytes.Clone(data))
	if err != nil {
		return Set{}, err
	}
	return Set{Keys: []Public{key}}, nil
}

func isText(data []byte) bool {
	return utf8.Valid(data) && !bytes.ContainsFunc(data, func(c rune) bool { return unicode.IsControl(c) && !unicode.IsSpace(c) })
}

func secretKey(secret []byte) (Public, error) {
	if err := admit(secret); err != nil {
		return Public{}, err
	}
	id, err := secretID(secret)
	return Public{ID: id, Anonymous: true, Key: secret}, err
}

// A secret may be a text that somebody made up, and its ID is in logs and in status. So that nobody can try guesses
// against it at any speed it is slow to compute, and too short to tell one guess for certain. Without a salt of its own,
// the same secret has the same ID everywhere, which shows where one is used twice.
const (
	idSalt       = "gatehouse shared secret"
	idIterations = 100_000
	idBytes      = 6
)

func secretID(secret []byte) (string, error) {
	sum, err := pbkdf2.Key(sha256.New, string(secret), []byte(idSalt), idIterations, idBytes)
	if err != nil {
		return "", fmt.Errorf("name the shared secret: %w", err)
	}
	return "secret-" + base64.RawURLEncoding.EncodeToString(sum), nil
}
