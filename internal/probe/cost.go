package probe

// What a round makes at a gate that enforces all there is, before a server with sessions; test/pair counts it. What the row
// makes beside that which makes many requests at a time, is in the Report.
const (
	beatConnections = 5
	firstIssuer     = 69
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
