package mac_test

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/mac"
)

var testSecret = []byte("0123456789abcdef0123456789abcdef")

func TestSumIsWhatItSays(t *testing.T) {
	key, err := mac.New(testSecret, "label")
	if err != nil {
		t.Fatal(err)
	}
	derived, err := hkdf.Key(sha256.New, testSecret, nil, "label", 32)
	if err != nil {
		t.Fatal(err)
	}
	want := hmac.New(sha256.New, derived)
	want.Write([]byte("\x00\x00\x00\x00\x00\x00\x00\x02ab\x00\x00\x00\x00\x00\x00\x00\x00"))
	for range 2 { // The second one uses what the first has left.
		if got := key.Sum("ab", ""); hex.EncodeToString(got[:]) != hex.EncodeToString(want.Sum(nil)) {
			t.Errorf("got %x, want %x", got, want.Sum(nil))
		}
	}
	if key.Sum("a", "b") == key.Sum("ab", "") || key.Sum("a") == key.Sum("a", "") {
		t.Error("parts run together")
	}
	other, err := mac.New(testSecret, "another label")
	if err != nil || other.Sum("a") == key.Sum("a") {
		t.Errorf("two labels, one key: %v", err)
	}
}

func TestBadSecret(t *testing.T) {
	for _, secret := range [][]byte{nil, testSecret[:31], append([]byte("x"), testSecret...)} {
		if key, err := mac.New(secret, "label"); err == nil || key.Valid() {
			t.Errorf("%d bytes were taken", len(secret))
		}
	}
}
