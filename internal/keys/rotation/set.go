package rotation

import (
	"fmt"
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Phase is where a key is in its life.
type Phase string

const (
	// Published: pods are to accept it, and nothing is signed with it yet.
	Published Phase = "Published"
	// Signing: new tokens are signed with it. It is one key of a set, never more or less.
	Signing Phase = "Signing"
	// Retiring: it signs nothing any more. Pods accept it for as long as a token of its can live.
	Retiring Phase = "Retiring"
	// Retired: it is no longer published. Pods are to refuse it.
	Retired Phase = "Retired"
	// Revoked is Retired, at once and by somebody's order.
	Revoked Phase = "Revoked"
)

// Withdrawn tells that a key of this phase is not published.
func (p Phase) Withdrawn() bool { return p == Retired || p == Revoked }

// Key is a key and where it is in its life.
type Key struct {
	ID        string
	Algorithm keys.Algorithm
	// Private is the zero value once the key is forgotten, and only its record is left.
	Private keys.Private
	Phase   Phase
	// Since is when it entered the phase, Step the step of the set that took it there.
	Since time.Time
	Step  int64
	// Refused is when every pod had been seen to refuse it; zero before that. It is kept until the next key is refused, so
	// that pods can be asked whether they still do, and is then forgotten.
	Refused time.Time
}

// open tells that a withdrawn key may still be accepted somewhere.
func (k Key) open() bool { return k.Phase.Withdrawn() && k.Refused.IsZero() }

// Set is all keys of one issuer. Its zero value is unusable; it comes from New or Decode.
type Set struct {
	// Step counts the steps that were taken. What a pod was seen to do with a key is worth something only if it was asked
	// after the step that took the key to its phase.
	Step int64
	// Request is that which the last rotation on request carried out.
	Request string
	// Keys are in the order in which they were made, records of forgotten ones among them.
	Keys []Key
	// Lost are those that are gone from it; see WithLost.
	Lost []Loss
}

// New is a set of one new key. A request that stands already is met by it.
func New(algorithm keys.Algorithm, request string, now time.Time) (Set, error) {
	set := Set{Step: 1, Request: request}
	return set, set.add(algorithm, Signing, now)
}

// Published gives the keys that pods are to accept, the signing one first.
func (s Set) Published() []keys.Private {
	var out []keys.Private
	for _, key := range s.Keys {
		switch {
		case key.Phase == Signing:
			out = slices.Insert(out, 0, key.Private)
		case !key.Phase.Withdrawn():
			out = append(out, key.Private)
		}
	}
	return out
}

// Find gives the key with an id, forgotten or not.
func (s Set) Find(id string) (Key, bool) {
	i := slices.IndexFunc(s.Keys, func(k Key) bool { return k.ID == id })
	if i < 0 {
		return Key{}, false
	}
	return s.Keys[i], true
}

// Refused gives the key that was the last that every pod was seen to refuse, if there is one.
func (s Set) Refused() []keys.Private {
	for _, key := range s.Keys {
		if !key.Refused.IsZero() && !key.forgotten() {
			return []keys.Private{key.Private}
		}
	}
	return nil
}

// forgotten tells that only the record is left.
func (k Key) forgotten() bool { return k.Private.ID() == "" }

// forget drops the refused keys, but for the one at the index.
func (s *Set) forget(but int) {
	for i, key := range s.Keys {
		if i != but && !key.Refused.IsZero() {
			s.Keys[i].Private = keys.Private{}
		}
	}
}

// in gives the index of the first key that is in a phase, or -1.
func (s Set) in(phase Phase) int {
	return slices.IndexFunc(s.Keys, func(k Key) bool { return k.Phase == phase })
}

// add makes a key.
func (s *Set) add(algorithm keys.Algorithm, phase Phase, now time.Time) error {
	private, err := keys.Generate(algorithm)
	if err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	key := Key{ID: private.ID(), Algorithm: private.Algorithm(), Private: private}
	s.Keys = append(s.Keys, key)
	s.move(len(s.Keys)-1, phase, now)
	return nil
}

// move takes a key to a phase, as part of the step that the set is at.
func (s *Set) move(i int, phase Phase, now time.Time) {
	// Whole seconds are what is stored.
	s.Keys[i].Phase, s.Keys[i].Since, s.Keys[i].Step = phase, now.UTC().Truncate(time.Second), s.Step
}

// Records of keys that are gone are kept for whoever wants to know what became of them, the newest ones.
const maxRecords = 8

// trim drops the oldest records.
func (s *Set) trim() {
	withdrawn := 0
	for _, key := range s.Keys {
		if key.Phase.Withdrawn() {
			withdrawn++
		}
	}
	s.Keys = slices.DeleteFunc(s.Keys, func(k Key) bool {
		if !k.Phase.Withdrawn() || k.open() || withdrawn <= maxRecords {
			return false
		}
		withdrawn--
		return true
	})
}
