package keys

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// MasterBytes is the least length of a master key.
const MasterBytes = 32

// Derive gives the Ed25519 key of a name, the same whenever it is asked for (HKDF-SHA256, RFC 5869). Whoever has it learns
// nothing of the master, nor of the key of another name. The master must be MasterBytes of randomness or more.
func Derive(master []byte, name string) (Private, error) {
	if len(master) < MasterBytes {
		return Private{}, fmt.Errorf("derive key: the master has %d bytes; at least %d are needed", len(master), MasterBytes)
	}
	seed, err := hkdf.Key(sha256.New, master, nil, name, ed25519.SeedSize)
	if err != nil {
		return Private{}, fmt.Errorf("derive key: %w", err)
	}
	signer := ed25519.NewKeyFromSeed(seed)
	id, err := Thumbprint(signer.Public())
	if err != nil {
		return Private{}, err
	}
	return Private{public: Public{ID: id, Algorithm: EdDSA, Key: signer.Public()}, signer: signer}, nil
}
