package admin_test

import (
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

func TestFingerprintsTellKeysApart(t *testing.T) {
	private, err := keys.Generate(keys.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	other, err := keys.Generate(keys.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	genuine := private.Public()
	change := func(do func(*keys.Public)) keys.Public {
		key := genuine
		do(&key)
		return key
	}
	prints, err := admin.NewFingerprinter([]byte(ours))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for name, c := range map[string]struct {
		provider string
		key      keys.Public
	}{
		"the key":                        {"corp", genuine},
		"of another provider":            {"other", genuine},
		"by another name":                {"corp", change(func(k *keys.Public) { k.ID = "another" })},
		"without a name":                 {"corp", change(func(k *keys.Public) { k.Anonymous = true })},
		"for another algorithm":          {"corp", change(func(k *keys.Public) { k.Algorithm = keys.ES256 })},
		"another key by that name":       {"corp", change(func(k *keys.Public) { k.Key = other.Public().Key })},
		"a shared secret by that name":   {"corp", change(func(k *keys.Public) { k.Key = []byte("a shared secret of 32 bytes.....") })},
		"another secret by that name":    {"corp", change(func(k *keys.Public) { k.Key = []byte("another secret of 32 bytes......") })},
		"its thumbprint as a shared one": {"corp", change(func(k *keys.Public) { k.Key = []byte(genuine.ID) })},
	} {
		got, err := prints.Of(c.provider, c.key)
		if err != nil || len(got) != 32 {
			t.Fatalf("%s: %q, %v", name, got, err)
		}
		if same, found := seen[got]; found {
			t.Errorf("%s is taken for %s", name, same)
		}
		seen[got] = name
		again, _ := prints.Of(c.provider, c.key)
		if again != got {
			t.Errorf("%s: %s, and then %s", name, got, again)
		}
	}

	// Who has not the gate's secret can make none, nor compare one with what he guesses.
	foreign, err := admin.NewFingerprinter([]byte(theirs))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := foreign.Of("corp", genuine); seen[got] != "" {
		t.Errorf("another secret gives the fingerprint of %s", seen[got])
	}
	if got, err := (admin.Fingerprinter{}).Of("corp", genuine); got != "" || err != nil {
		t.Errorf("without a secret: %q, %v", got, err)
	}
}
