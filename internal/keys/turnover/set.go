package turnover

import (
	"encoding/json"
	"fmt"
	"time"
)

// Phase is where a turnover is.
type Phase string

const (
	// Resting: there is the current secret and no other.
	Resting Phase = "Resting"
	// Published: gates are to load the next secret. None seals with it yet.
	Published Phase = "Published"
	// Switched: the next secret has become the current one. Gates are to seal with it; they open with the previous one.
	Switched Phase = "Switched"
	// Keeping: every gate seals with the current secret. The previous one opens sessions until its time is over.
	Keeping Phase = "Keeping"
	// Withdrawing: the previous secret is gone. Gates are to drop it.
	Withdrawing Phase = "Withdrawing"
)

// Generation is a secret and the id by which gates name it without telling it. The zero value is none.
type Generation struct {
	ID     string
	Secret []byte
}

// Set is all generations of a secret. Its zero value is unusable; it comes from New or Decode.
type Set struct {
	Phase Phase
	Since time.Time
	// Request is that which the last turnover carried out, or carries out.
	Request string
	// Next is there in phase Published, Previous in Switched and Keeping.
	Current, Next, Previous Generation
	// Withdrawn is the id of the one that gates are to drop, in phase Withdrawing.
	Withdrawn string
}

// New is a set of one secret. A request that stands already is met by it.
func New(in Inputs, now time.Time) (Set, error) {
	fresh, err := in.Fresh()
	if err != nil {
		return Set{}, fmt.Errorf("make the gate's secret: %w", err)
	}
	return Set{Request: in.Request, Current: fresh}.move(Resting, now), nil
}

// The data keys of a stored set. Gates read the first three; in RecordKey is no secret.
const (
	CurrentKey  = "current"
	NextKey     = "next"
	PreviousKey = "previous"
	RecordKey   = "turnover.json"
)

type record struct {
	Phase     Phase     `json:"phase"`
	Since     time.Time `json:"since"`
	Request   string    `json:"request,omitempty"`
	Withdrawn string    `json:"withdrawn,omitempty"`
}

// Encode returns the data of a set. One that never turned over has no record.
func Encode(set Set) (map[string][]byte, error) {
	data := map[string][]byte{CurrentKey: set.Current.Secret}
	for key, generation := range map[string]Generation{NextKey: set.Next, PreviousKey: set.Previous} {
		if generation.ID != "" {
			data[key] = generation.Secret
		}
	}
	if set.Phase == Resting && set.Request == "" {
		return data, nil
	}
	encoded, err := json.Marshal(record{set.Phase, set.Since, set.Request, set.Withdrawn})
	if err != nil {
		return nil, fmt.Errorf("encode the turnover of the gate's secret: %w", err)
	}
	data[RecordKey] = encoded
	return data, nil
}

// Decode reads what Encode wrote; false where there is no usable current secret. Other secrets that cannot be used are left
// out. Where the record is missing or does not fit the secrets, as after somebody has restored some of them, these count: a
// next one is published, a previous one is kept for its whole time from now on. name gives the id of a secret, and an error
// for what is none.
func Decode(data map[string][]byte, now time.Time, name func(secret []byte) (string, error)) (Set, bool) {
	set, generations := Set{}, map[string]Generation{}
	for _, key := range []string{CurrentKey, NextKey, PreviousKey} {
		if id, err := name(data[key]); err == nil {
			generations[key] = Generation{ID: id, Secret: data[key]}
		}
	}
	set.Current, set.Next, set.Previous = generations[CurrentKey], generations[NextKey], generations[PreviousKey]
	if set.Current.ID == "" {
		return Set{}, false
	}
	var stored record
	if err := json.Unmarshal(data[RecordKey], &stored); err != nil {
		stored = record{}
	}
	set.Phase, set.Since, set.Request, set.Withdrawn = stored.Phase, stored.Since, stored.Request, stored.Withdrawn
	if !set.fits() {
		set = set.inferred(now)
	}
	return set, true
}

// fits reports whether the secrets are those of the phase.
func (s Set) fits() bool {
	next, previous := s.Next.ID != "", s.Previous.ID != ""
	switch s.Phase {
	case Resting:
		return !next && !previous
	case Published:
		return next && !previous
	case Switched, Keeping:
		return previous && !next
	case Withdrawing:
		return !next && !previous && s.Withdrawn != ""
	default:
		return false
	}
}

// inferred is the set as its secrets alone say.
func (s Set) inferred(now time.Time) Set {
	s.Withdrawn = ""
	switch {
	case s.Previous.ID != "":
		s.Next = Generation{}
		return s.move(Keeping, now)
	case s.Next.ID != "":
		return s.move(Published, now)
	default:
		return s.move(Resting, now)
	}
}
