package rotation

import (
	"slices"
	"time"
)

// Loss is a key that was good and is gone although no step took it away: somebody has deleted or replaced what was stored. The
// tokens that it had signed are refused.
type Loss struct {
	ID string    `json:"kid"`
	At time.Time `json:"at"`
}

// WithLost is the set with a record of the keys that are gone from it, until no token of theirs could be alive. A key that is
// back, because what was stored was restored, is no longer lost. It is the set itself where nothing changes.
func (s Set) WithLost(gone []string, now time.Time, in Inputs) Set {
	lost := slices.DeleteFunc(slices.Clone(s.Lost), func(l Loss) bool {
		_, isBack := s.Find(l.ID)
		return isBack || !now.Before(l.Until(in))
	})
	for _, id := range gone {
		_, there := s.Find(id)
		if known := slices.ContainsFunc(lost, func(l Loss) bool { return l.ID == id }); !there && !known && id != in.Revoke {
			lost = append(lost, Loss{id, now.UTC().Truncate(time.Second)})
		}
	}
	s.Lost = lost
	return s
}

// Until is when the last token of a lost key would have expired.
func (l Loss) Until(in Inputs) time.Time { return l.At.Add(in.Overlap) }
