package client

import (
	"math/rand/v2"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

// Client is an MCP client at the target: all requests of a check are its own.
type Client struct {
	Target   probe.Target
	Sender   *wire.Sender
	draw     *rand.Rand
	Seed     uint64
	Profile  Profile
	protocol Protocol
	secrets  secrets
	Sessions probe.Sessions
	// Server and tools are what the last handshake told.
	Server *probe.ServerInfo
	Tools  []probe.Tool
	// Bearer ends sessions whose opener's token does not.
	Bearer string
	// Extra counts connections beyond those of Tier.Connections.
	Extra int
}

// New makes the client of a check. What it draws it takes from draw.
func New(target probe.Target, sender *wire.Sender, seed uint64, draw *rand.Rand) *Client {
	return &Client{
		Target: target, Sender: sender, draw: draw, Seed: seed, Profile: ProfileOf(seed), Sessions: target.Sessions.At(target.URL),
	}
}
