package admin

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ProofHeader carries, in a request for State, "1.<unix seconds>.<nonce>.<MAC>", and in the answer the MAC alone; nonce
// and MAC are base64url without padding. See Key for what the MACs cover.
const ProofHeader = "Gatehouse-Proof"

const (
	// SecretBytes is the length of the secret that gate and operator share.
	SecretBytes = 32

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
// pod's UID, the nonce and the body; each part preceded by its length in 8 bytes.
type Key struct{ mac []byte }

// NewKey derives the Key from the gate's secret of SecretBytes bytes.
func NewKey(secret []byte) (Key, error) {
	if len(secret) != SecretBytes {
		return Key{}, fmt.Errorf("the gate's secret has %d bytes, want %d", len(secret), SecretBytes)
	}
	mac, err := hkdf.Key(sha256.New, secret, nil, "gatehouse admin v1", sha256.Size)
	if err != nil {
		return Key{}, fmt.Errorf("derive the admin key: %w", err)
	}
	return Key{mac: mac}, nil
}

func (k Key) sum(parts ...string) string {
	mac := hmac.New(sha256.New, k.mac)
	for _, part := range parts {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		mac.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (k Key) signRequest(podUID, nonce string, now time.Time) string {
	at := strconv.FormatInt(now.Unix(), 10)
	return strings.Join([]string{proofVersion, at, nonce, k.sum("request", podUID, at, nonce)}, ".")
}

var errProof = errors.New("no valid proof")

// checkRequest gives the nonce of a valid proof.
func (k Key) checkRequest(proof, podUID string, now time.Time) (nonce string, err error) {
	parts := strings.Split(proof, ".")
	if len(k.mac) == 0 || podUID == "" || len(parts) != 4 || parts[0] != proofVersion {
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

func (k Key) isAnswer(mac, podUID, nonce string, body []byte) bool {
	return len(k.mac) > 0 && hmac.Equal([]byte(mac), []byte(k.signAnswer(podUID, nonce, body)))
}
