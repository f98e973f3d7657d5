package client

import (
	"math/rand/v2"
)

// Profile is how a check presents itself: as one of the clients that servers meet anyway. All requests of a check look
// alike, so that a bad one differs from the positive control in its token only.
type Profile struct {
	userAgent     string
	name, version string
}

var profiles = []Profile{
	{userAgent: "node", name: "mcp-client", version: "1.0.0"},
	{userAgent: "node", name: "example-client", version: "1.0.0"},
	{userAgent: "node", name: "mcp-client-cli", version: "1.0.0"},
	{userAgent: "python-httpx/0.28.1", name: "mcp", version: "0.1.0"},
	{userAgent: "python-httpx/0.27.2", name: "mcp", version: "0.1.0"},
	{userAgent: "Go-http-client/1.1", name: "mcp-client", version: "v1.0.0"},
}

// ProfileOf is that of the checks of a seed.
func ProfileOf(seed uint64) Profile {
	return profiles[rand.New(rand.NewPCG(seed, 0)).IntN(len(profiles))] //nolint:gosec // to be repeated, not to be unguessable
}
