package rotation

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// The set is stored in two files, together. The first is the JWK Set of the keys that are published, with their private
// halves and the signing one first: whoever signs needs no more. The second is the rest.
type file struct {
	Step      int64           `json:"step"`
	Request   string          `json:"request,omitempty"`
	Keys      []record        `json:"keys"`
	Withdrawn json.RawMessage `json:"withdrawn,omitempty"`
	Lost      []Loss          `json:"lost,omitempty"`
}

type record struct {
	ID        string         `json:"kid"`
	Algorithm keys.Algorithm `json:"alg"`
	Phase     Phase          `json:"phase"`
	Since     time.Time      `json:"since"`
	Step      int64          `json:"step"`
	Refused   time.Time      `json:"refused,omitzero"`
}

// Encode writes a set. The same set gives the same bytes.
func Encode(set Set) (jwks, state []byte, err error) {
	if jwks, err = keys.MarshalPrivate(set.Published()); err != nil {
		return nil, nil, err
	}
	out := file{Step: set.Step, Request: set.Request, Lost: set.Lost}
	var withdrawn []keys.Private
	for _, key := range set.Keys {
		out.Keys = append(out.Keys, record{key.ID, key.Algorithm, key.Phase, key.Since, key.Step, key.Refused})
		if key.Phase.Withdrawn() && !key.forgotten() {
			withdrawn = append(withdrawn, key.Private)
		}
	}
	if len(withdrawn) > 0 {
		if out.Withdrawn, err = keys.MarshalPrivate(withdrawn); err != nil {
			return nil, nil, err
		}
	}
	state, err = json.Marshal(out)
	return jwks, state, err
}

// Decode reads what Encode wrote. Where there is no state yet the first key signs, and any others are on their way out;
// so are keys that somebody has added. It refuses a set that would publish a key which is withdrawn.
func Decode(jwks, state []byte, now time.Time) (Set, error) {
	published, err := keys.ParsePrivate(jwks)
	if err != nil {
		return Set{}, err
	}
	stored := file{}
	if len(state) > 0 {
		if err := json.Unmarshal(state, &stored); err != nil {
			return Set{}, errors.New("what is stored about their rotation is no valid JSON")
		}
	}
	var withdrawn []keys.Private
	if len(stored.Withdrawn) > 0 {
		if withdrawn, err = keys.ParsePrivate(stored.Withdrawn); err != nil {
			return Set{}, fmt.Errorf("withdrawn keys: %w", err)
		}
	}
	set := Set{Step: stored.Step, Request: stored.Request, Lost: stored.Lost}
	for _, r := range stored.Keys {
		key := Key{ID: r.ID, Algorithm: r.Algorithm, Phase: r.Phase, Since: r.Since, Step: r.Step, Refused: r.Refused}
		// What is withdrawn and lost cannot be asked about. What is to be published and was taken out is gone.
		if set.adopt(key, published, withdrawn) != nil {
			return Set{}, fmt.Errorf("key %q is %s, and among those that are published", key.ID, key.Phase)
		}
	}
	set.reconcile(published, now)
	return set, nil
}

// adopt takes a stored key into the set, if its private half is where it must be.
func (s *Set) adopt(key Key, published, withdrawn []keys.Private) error {
	from := published
	if key.Phase.Withdrawn() {
		if slices.ContainsFunc(published, named(key.ID)) {
			return errors.New("it is published")
		}
		from = withdrawn
	}
	if i := slices.IndexFunc(from, named(key.ID)); i >= 0 {
		key.Private = from[i]
	} else if key.Refused.IsZero() {
		return nil
	}
	s.Keys = append(s.Keys, key)
	return nil
}

// reconcile makes the set agree with the published keys: the first of them is the one that signs.
func (s *Set) reconcile(published []keys.Private, now time.Time) {
	for _, private := range published {
		if _, known := s.Find(private.ID()); !known {
			s.Keys = append(s.Keys, Key{ID: private.ID(), Algorithm: private.Algorithm(), Private: private})
			s.move(len(s.Keys)-1, Retiring, now)
		}
	}
	for i, key := range s.Keys {
		switch first := key.ID == published[0].ID(); {
		case first && key.Phase != Signing:
			s.move(i, Signing, now)
		case !first && key.Phase == Signing:
			s.move(i, Retiring, now)
		}
	}
}

func named(id string) func(keys.Private) bool {
	return func(k keys.Private) bool { return k.ID() == id }
}
