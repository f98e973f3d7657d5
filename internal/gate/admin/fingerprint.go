package admin

import (
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/mac"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Fingerprinter tells keys apart by all that makes them another key: the key itself, its name and its algorithm. It is derived
// from the gate's secret, so that a fingerprint is worth nothing to whoever reads one: a shared secret that people have made up
// could be guessed from a plain digest. The zero value gives none.
type Fingerprinter struct{ mac mac.Key }

// NewFingerprinter derives it from the gate's secret of SecretBytes bytes.
func NewFingerprinter(secret []byte) (Fingerprinter, error) {
	key, err := mac.New(secret, "gatehouse key fingerprint v1")
	return Fingerprinter{mac: key}, err
}

// Of returns the fingerprint of a provider's key, 32 hexadecimal digits.
func (f Fingerprinter) Of(provider string, key keys.Public) (string, error) {
	if !f.mac.Valid() {
		return "", nil
	}
	material, isSecret := key.Key.([]byte)
	if !isSecret {
		thumbprint, err := keys.Thumbprint(key.Key)
		if err != nil {
			return "", fmt.Errorf("fingerprint of key %q: %w", key.ID, err)
		}
		material = []byte(thumbprint)
	}
	sum := f.mac.Sum(provider, key.ID, strconv.FormatBool(key.Anonymous), string(key.Algorithm), strconv.FormatBool(isSecret), string(material))
	return hex.EncodeToString(sum[:16]), nil
}
