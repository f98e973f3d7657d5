// Package probeid makes request ids by which whoever has the gate's secret can tell the requests of its prober from those
// of clients. To anybody else they are random, so that nobody can treat the prober better than a client.
//
// Nothing that decides about a request may import this package: a gate must not know whom it refuses. test/imports
// holds it to that.
package probeid

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/mac"
)

// An id is one block of AES-256 in lower-case hexadecimal: RandomBytes that are random, the second in which it was made,
// and its Audience. A block cipher is a random permutation to whoever lacks its key, so ids are random to them, and a
// block that they make up holds an Audience and a time that fit once in 2^72 tries or so.
const (
	// RandomBytes is how many bytes of an id are random: what tells apart the ids of one second.
	RandomBytes   = 6
	timeBytes     = 4
	audienceBytes = aes.BlockSize - RandomBytes - timeBytes
)

// Length of an id in characters.
const Length = 2 * aes.BlockSize

// Lifetime is how long an id is good, and how far the clocks of its maker and of its reader may differ.
const Lifetime = time.Minute

// Audience says whose gate may take an id for a probe's.
type Audience [audienceBytes]byte

// Pod is the gate of the pod with this UID.
func Pod(uid string) Audience { return audience("pod " + uid) }

// AnyPod is every gate of the server: who asks at the Service does not know which one answers.
func AnyPod() Audience { return audience("any pod") }

func audience(name string) Audience {
	sum := sha256.Sum256([]byte(name))
	return Audience(sum[:audienceBytes])
}

// Key makes and knows ids. It is safe for concurrent use. The zero Key knows none, and must not make any.
type Key struct{ block cipher.Block }

// NewKey derives a Key from the gate's secret of mac.SecretBytes bytes. Gates and operators of all releases have to agree
// on it.
func NewKey(secret []byte) (Key, error) {
	derive, err := mac.New(secret, "gatehouse probe v2")
	if err != nil {
		return Key{}, err
	}
	key := derive.Sum("AES-256")
	block, err := aes.NewCipher(key[:])
	return Key{block}, err
}

// New makes the id of one request that is sent now, of bytes that are random and used once.
func (k Key) New(to Audience, now time.Time, random [RandomBytes]byte) string {
	block := make([]byte, 0, aes.BlockSize)
	block = append(block, random[:]...)
	block = binary.BigEndian.AppendUint32(block, uint32(now.Unix())) //nolint:gosec // The low bits are enough; see Audience.
	block = append(block, to[:]...)
	k.block.Encrypt(block, block)
	return hex.EncodeToString(block)
}

// Audience gives whom an id is for that New made with this Key within Lifetime before or after a moment. What New did not
// make is for nobody, or for an Audience that there is not.
func (k Key) Audience(id string, at time.Time) (to Audience, ok bool) {
	if len(id) != Length || k.block == nil || strings.ContainsAny(id, "ABCDEF") { // One id has one spelling.
		return Audience{}, false
	}
	block, err := hex.DecodeString(id)
	if err != nil {
		return Audience{}, false
	}
	k.block.Decrypt(block, block)
	// The difference of the low 32 bits is right beyond 2106, too.
	age := int32(uint32(at.Unix()) - binary.BigEndian.Uint32(block[RandomBytes:])) //nolint:gosec // It is meant to wrap.
	if d := time.Duration(age) * time.Second; d < -Lifetime || d > Lifetime {
		return Audience{}, false
	}
	return Audience(block[RandomBytes+timeBytes:]), true
}
