package admin

import (
	"encoding/hex"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/mac"
)

// SecretIDs name the generations of the gate's secret that a gate has loaded, by SecretID; empty for one that is not there.
type SecretIDs struct {
	// Current is the one that sessions are sealed with.
	Current  string `json:"current,omitempty"`
	Next     string `json:"next,omitempty"`
	Previous string `json:"previous,omitempty"`
}

// Loaded lists those that are there.
func (s SecretIDs) Loaded() []string {
	var out []string
	for _, id := range []string{s.Current, s.Next, s.Previous} {
		if id != "" {
			out = append(out, id)
		}
	}
	return out
}

// SecretID names a secret of SecretBytes bytes by 16 hexadecimal digits that are derived from it and tell nothing of it.
func SecretID(secret []byte) (string, error) {
	key, err := mac.New(secret, "gatehouse secret id v1")
	if err != nil {
		return "", err
	}
	sum := key.Sum()
	return hex.EncodeToString(sum[:8]), nil
}
