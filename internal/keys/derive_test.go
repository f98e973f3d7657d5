package keys_test

import (
	"bytes"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

func TestDerivedKeys(t *testing.T) {
	master, other := bytes.Repeat([]byte{1}, keys.MasterBytes), bytes.Repeat([]byte{2}, keys.MasterBytes)
	derive := func(master []byte, name string) keys.Private {
		t.Helper()
		key, err := keys.Derive(master, name)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	key := derive(master, "a")
	if again := derive(master, "a"); again.ID() != key.ID() {
		t.Error("the same name gave another key")
	}
	for what, stranger := range map[string]keys.Private{"name": derive(master, "b"), "master": derive(other, "a")} {
		if stranger.ID() == key.ID() {
			t.Errorf("another %s gave the same key", what)
		}
	}
	signature, err := key.Sign("text")
	if err != nil {
		t.Fatal(err)
	}
	if key.Algorithm() != keys.EdDSA || !key.Public().Verify("text", signature) {
		t.Error("what the key signs does not verify")
	}
	// Written down: gates have the public half, and another release must sign with the same key.
	const was = "iuQjPlYfmmJpdtp_1EvZkkzASoCWYgMIEQmOVNDEWKE"
	if key.ID() != was {
		t.Errorf("the key of this master and name is %s, and was %s", key.ID(), was)
	}
	if _, err := keys.Derive(master[1:], "a"); err == nil {
		t.Error("a short master was taken")
	}
}

// A shared secret signs with the key that verifies; nothing else does.
func TestSharedSigner(t *testing.T) {
	set, err := keys.ParseSharedSecret([]byte("correct horse battery staple, more or less"))
	if err != nil {
		t.Fatal(err)
	}
	public, fits := set.Keys[0].Bind([]keys.Algorithm{keys.HS256})
	if !fits {
		t.Fatal("it serves HS256")
	}
	signer, shared := public.Signer()
	if !shared {
		t.Fatal("a shared secret cannot sign")
	}
	signature, err := signer.Sign("text")
	if err != nil || !public.Verify("text", signature) {
		t.Errorf("what it signs does not verify: %v", err)
	}
	key, err := keys.Generate(keys.ES256)
	if err != nil {
		t.Fatal(err)
	}
	if _, shared := key.Public().Signer(); shared {
		t.Error("the public half of a key was taken for a shared secret")
	}
}
