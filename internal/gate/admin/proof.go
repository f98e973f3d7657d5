package admin

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/mac"
)

// ProofHeader carries, in a request for State, "1.<unix seconds>.<nonce>.<MAC>", and in the answer the MAC alone; nonce
// and MAC are base64url without padding. See Key for what the MACs cover.
const ProofHeader = "Gatehouse-Proof"

const (
	// SecretBytes is the length of the secret that gate and operator share.
	SecretBytes = mac.SecretBytes

	proofVersion = "1"
	nonceBytes   = 16
	// proofLife is how long a request's proof may be used, and clockLeeway how far the two clocks may differ: who
	// finds the clocks apart wants to see it in State, not to be refused.
	proofLife   = 60 * time.Second
	clockLeeway = 10 * time.Minute
)

// Key authenticates requests for State and their answers. It is derived from the gate's secret by HKDF-SHA256 (RFC 5869).
//
// A request's MAC is HMAC-SHA256 over "request", the pod's UID, the time and the nonce; an answer's over "answer", the
// pod's UID, the nonce and the body; as mac.Key makes them.
type Key struct{ mac mac.Key }

// NewKey derives the Key from the gate's secret of SecretBytes bytes.
func NewKey(secret []byte) (Key, error) {
	key, err := mac.New(secret, "gatehouse admin v1")
	return Key{mac: key}, err
}

// sum of the zero Key is empty, which nobody takes for a MAC.
func (k Key) sum(parts ...string) string {
	if !k.mac.Valid() {
		return ""
	}
	sum := k.mac.Sum(parts...)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (k Key) signRequest(podUID, nonce string, now time.Time) string {
	at := strconv.FormatInt(now.Unix(), 10)
	return strings.Join([]string{proofVersion, at, nonce, k.sum("request", podUID, at, nonce)}, ".")
}

var errProof = errors.New("no valid proof")

// checkRequest gives the nonce of a valid proof.
func (k Key) checkRequest(proof, podUID string, now time.Time) (nonce string, err error) {
	parts := strings.Split(proof, ".")
	if !k.mac.Valid() || podUID == "" || len(parts) != 4 || parts[0] != proofVersion {
		return "", errProof
	}
	at, nonce := parts[1], parts[2]
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || base64.RawURLEncoding.DecodedLen(len(nonce)) != nonceBytes {
		return "", errProof
	}
	if !hmac.Equal([]byte(parts[3]), []byte(k.sum("request", podUID, at, nonce))) {
		return "", errProof
	}
	age := now.Sub(time.Unix(seconds, 0))
	if age > proofLife+clockLeeway || age < -clockLeeway {
		return "", errProof
	}
	return nonce, nil
}

func (k Key) signAnswer(podUID, nonce string, body []byte) string {
	return k.sum("answer", podUID, nonce, string(body))
}

func (k Key) isAnswer(received, podUID, nonce string, body []byte) bool {
	return k.mac.Valid() && hmac.Equal([]byte(received), []byte(k.signAnswer(podUID, nonce, body)))
}
