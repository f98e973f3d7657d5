// Package probeid makes request ids by which whoever has the gate's secret can tell the requests of its prober from those
// of clients. To anybody else they are random, so that nobody can treat the prober better than a client.
//
// Nothing that decides about a request may import this package: a gate must not know whom it refuses. test/imports
// holds it to that.
package probeid

import (
	"crypto/hmac"
	"encoding/hex"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/mac"
)

// RandomBytes is how many bytes of an id are random; as many vouch for them.
const RandomBytes = 8

// Length of an id in characters.
const Length = 2 * 2 * RandomBytes

// Key makes and knows ids. It is safe for concurrent use. The zero Key knows none, and must not make any.
type Key struct{ mac mac.Key }

// NewKey derives a Key from the gate's secret of mac.SecretBytes bytes.
func NewKey(secret []byte) (Key, error) {
	key, err := mac.New(secret, "gatehouse probe v1")
	return Key{key}, err
}

// New makes the id of one request to the pod of this UID, in lower-case hexadecimal, of bytes that are random and used
// once.
func (k Key) New(podUID string, random [RandomBytes]byte) string {
	return hex.EncodeToString(append(random[:], k.voucher(podUID, random)...))
}

// Is tells whether an id was made by New with this Key and for this pod.
func (k Key) Is(podUID, id string) bool {
	if len(id) != Length || !k.mac.Valid() {
		return false
	}
	raw, err := hex.DecodeString(id)
	if err != nil || hex.EncodeToString(raw) != id { // One id has one spelling.
		return false
	}
	return hmac.Equal(raw[RandomBytes:], k.voucher(podUID, [RandomBytes]byte(raw)))
}

func (k Key) voucher(podUID string, random [RandomBytes]byte) []byte {
	sum := k.mac.Sum(podUID, string(random[:]))
	return sum[:RandomBytes]
}
