// Package mac makes keyed hashes from the gate's own secret. Each purpose has a key of its own, derived under a label,
// so that what is made for one is worth nothing for another.
//
// It must not know what is hashed.
package mac

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"sync"
)

// SecretBytes is the length of the gate's secret.
const SecretBytes = 32

// Size is the length of a Sum in bytes.
const Size = sha256.Size

// Key makes keyed hashes: HMAC-SHA256 over parts, each preceded by its length in 8 bytes, so that no two lists of parts
// run together. It is safe for concurrent use. The zero Key is not usable; see Valid.
type Key struct{ states *sync.Pool }

// state is what one Sum needs. HMAC remembers the hashed key, and nothing is allocated twice.
type state struct {
	hash    hash.Hash
	message []byte
	sum     []byte
}

// New derives the key of a label from a secret of SecretBytes bytes, by HKDF-SHA256 (RFC 5869).
func New(secret []byte, label string) (Key, error) {
	if len(secret) != SecretBytes {
		return Key{}, fmt.Errorf("the gate's secret has %d bytes, want %d", len(secret), SecretBytes)
	}
	derived, err := hkdf.Key(sha256.New, secret, nil, label, sha256.Size)
	if err != nil {
		return Key{}, fmt.Errorf("derive the key %q: %w", label, err)
	}
	return Key{&sync.Pool{New: func() any { return &state{hash: hmac.New(sha256.New, derived)} }}}, nil
}

// Valid is false for the zero Key.
func (k Key) Valid() bool { return k.states != nil }

func (k Key) state() *state {
	s, _ := k.states.Get().(*state) // Nothing else is ever put there.
	return s
}

// Sum hashes the parts.
func (k Key) Sum(parts ...string) (sum [Size]byte) {
	s := k.state()
	defer k.states.Put(s)
	s.message = s.message[:0]
	for _, part := range parts {
		s.message = binary.BigEndian.AppendUint64(s.message, uint64(len(part)))
		s.message = append(s.message, part...)
	}
	s.hash.Reset()
	s.hash.Write(s.message)
	s.sum = s.hash.Sum(s.sum[:0])
	copy(sum[:], s.sum)
	return sum
}
