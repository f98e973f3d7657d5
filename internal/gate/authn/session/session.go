// Package session binds MCP sessions to the callers who opened them. What the server calls S, its client holds as
// "g<slot>.<m>.<S>", where m authenticates S for this server and this caller (MCP security best practices, "Session
// Hijacking"). Nothing is stored: whoever has the gate's secret can open it, on any replica, after any restart.
//
// Only the caller is bound. The server sees S as if there were no gate, and which replica knows S is for whoever routes.
// The package must not know how a caller was verified, nor HTTP.
package session

import (
	"bytes"
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/mac"
)

// Header carries the session id, both ways (MCP transports, "Session Management").
const Header = "Mcp-Session-Id"

// Caller is whom a session belongs to. A new token of the same caller opens it; another client of the same subject has
// sessions of its own.
type Caller struct {
	// Provider is the name of the one whose token it was: two providers may both know an "alice".
	Provider string
	Subject  string
	// Client is the OAuth client that got the token; it may be empty.
	Client string
}

const (
	// maxSealedBytes bounds what a client has to send with every request.
	maxSealedBytes = 1 << 10
	// macBytes is how much of the MAC is kept. Nobody can try a guess but online.
	macBytes = 16
)

var (
	encoding = base64.RawURLEncoding
	// prefixBytes is the length of "g<slot>.<m>.".
	prefixBytes = len("gs.") + encoding.EncodedLen(macBytes) + len(".")
)

// ErrUnsealable: the server's session id is empty, not visible ASCII (MCP allows nothing else), or so long that the
// sealed one would exceed 1 KiB.
var ErrUnsealable = errors.New("the session id is empty, too long or not visible ASCII")

// Keyring seals with one key and opens with several. It is never changed, and safe for concurrent use.
type Keyring struct{ keys []key }

type key struct {
	slot byte
	mac  mac.Key
}

// NewKeyring derives the keys from the gate's secrets of mac.SecretBytes bytes each. Sessions are sealed with current;
// older and coming ones are opened with the others: while replicas learn of a new secret, some already seal with it.
func NewKeyring(current []byte, others ...[]byte) (*Keyring, error) {
	ring := &Keyring{}
	for _, secret := range append([][]byte{current}, others...) {
		derived, err := newKey(secret)
		if err != nil {
			return nil, err
		}
		ring.keys = append(ring.keys, derived)
	}
	return ring, nil
}

// newKey derives the slot like the key: it names the key wherever that stands in the ring, and tells nothing of it.
// Two keys may have the same.
func newKey(secret []byte) (key, error) {
	sessions, err := mac.New(secret, "gatehouse session v1")
	if err != nil {
		return key{}, err
	}
	slots, err := mac.New(secret, "gatehouse session slot v1")
	if err != nil {
		return key{}, err
	}
	sum := slots.Sum()
	return key{slot: encoding.EncodeToString(sum[:1])[0], mac: sessions}, nil
}

// Seal gives what the caller gets in place of the server's session id. Its only error is ErrUnsealable.
func (r *Keyring) Seal(server string, caller Caller, id string) (string, error) {
	if id == "" || strings.ContainsFunc(id, isInvisible) || prefixBytes+len(id) > maxSealedBytes {
		return "", ErrUnsealable
	}
	out := make([]byte, 0, prefixBytes+len(id))
	out = r.keys[0].appendPrefix(out, server, caller, id)
	return string(append(out, id...)), nil
}

// Open gives the server's session id back to the caller for whom it was sealed, by a gate of this server; to anybody
// else it says no, and likewise for what was never sealed.
func (r *Keyring) Open(server string, caller Caller, sealed string) (id string, ok bool) {
	if len(sealed) <= prefixBytes || len(sealed) > maxSealedBytes {
		return "", false
	}
	prefix, id := []byte(sealed[:prefixBytes]), sealed[prefixBytes:]
	var want [64]byte
	for _, candidate := range r.keys {
		// The slot is no secret, and spares the MACs of keys that cannot be meant.
		if !bytes.HasPrefix(prefix, []byte{'g', candidate.slot}) {
			continue
		}
		if hmac.Equal(prefix, candidate.appendPrefix(want[:0], server, caller, id)) {
			return id, true
		}
	}
	return "", false
}

// IsSealed tells what looks like a sealed session id, whoever sealed it, from what never was one.
func IsSealed(text string) bool {
	return len(text) > prefixBytes && len(text) <= maxSealedBytes && text[0] == 'g' && text[2] == '.' && text[prefixBytes-1] == '.'
}

// appendPrefix appends "g<slot>.<m>.".
func (k key) appendPrefix(out []byte, server string, caller Caller, id string) []byte {
	sum := k.mac.Sum("session/1", server, caller.Provider, caller.Subject, caller.Client, id)
	out = append(out, 'g', k.slot, '.')
	out = encoding.AppendEncode(out, sum[:macBytes])
	return append(out, '.')
}

func isInvisible(c rune) bool { return c < 0x21 || c > 0x7e }
