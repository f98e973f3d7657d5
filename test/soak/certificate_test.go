//go:build soak

package soak

import (
	"crypto/sha256"
	"encoding/hex"
)

// digestOf is as the gate's state has it.
func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
