package probe

// Tier says how much of the cases a check asks.
type Tier string

const (
	// Full asks every case that the target's providers and policy allow.
	Full Tier = "Full"
	// Quick asks what a broken lock is most likely to fail, at little cost: no token, a malformed one, one of a wrong key or a
	// row of the catalogue of forms, in turn, and the positive control, once, at the end.
	Quick Tier = "Beat"
)

// What a check makes at a gate that enforces all there is, before a server with sessions; test/pair counts it. What the row
// makes beside that which makes many requests at a time, is in the Report.
const (
	quickConnections = 5
	firstIssuer      = 65
	furtherIssuer    = 43
)

// Connections is how many a check of the tier makes with so many issuers, or a few less: where the gate enforces less, or the
// server has no sessions. Each public key of an issuer beyond the first adds four.
func (t Tier) Connections(issuers int) int {
	if t == Quick {
		return quickConnections
	}
	return firstIssuer + furtherIssuer*max(issuers-1, 0)
}

// Turn says what of a catalogue comes next. What a check asks a part of, it takes in turn, so that each part is asked within
// a number of checks that is known. The zero value begins anywhere, by the seed.
type Turn struct {
	// Round counts checks. Light and Heavy count the rows that were asked of the two parts of the catalogue of forms.
	Round, Light, Heavy uint64
	// Rest takes no rows.
	Rest bool
}

// IsZero reports whether it begins anywhere.
func (t Turn) IsZero() bool { return t.Round == 0 && t.Light == 0 && t.Heavy == 0 }
