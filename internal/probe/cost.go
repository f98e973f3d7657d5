package probe

// What a round makes at a gate that enforces all there is, before a server with sessions; test/pair counts it. In some full
// rounds the heavy row is one that makes many requests at a time.
const (
	beatConnections = 5
	firstIssuer     = 69 + crowd - 1
	furtherIssuer   = 43
)

// Connections is how many a round of the tier makes with so many issuers, or a few less: where the gate enforces less, or the
// server has no sessions. Each public key of an issuer beyond the first adds four.
func (t Tier) Connections(issuers int) int {
	if t == Beat {
		return beatConnections
	}
	return firstIssuer + furtherIssuer*max(issuers-1, 0)
}
