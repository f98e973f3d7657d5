package snapshot

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/revocation"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// revocations is a list with the digest of the file it was read from, in hex; empty if that could be read in part only.
type revocations struct {
	revocation.List

	sha256 string
}

// pollRevoked takes the list of revocations. Of a bad list, what can be read is in force beside the last good one: its
// faulty lines hold up none of the others, and nothing is let in again for them. Where it is bad from the start, nobody
// knows what was revoked before, and the snapshot says so.
func (s *Store) pollRevoked(now content, present bool, broken map[string]error) (changed bool) {
	const name = gateapi.RevokedFile
	before := s.revocationsKnown
	defer func() {
		s.revocationsKnown = before || s.revoked.err == nil
		changed = changed || s.revocationsKnown != before
	}()
	if !present {
		if now.err = s.missedRevocations(); now.err == nil {
			s.revoked.err = nil
			return false
		}
	}
	last, lastErr := s.revoked.raw, s.revoked.err
	changed = s.revoked.take(now, s.parseRevocations, s.source.Now())
	if isNews := lastErr == nil || !bytes.Equal(last, s.revoked.raw); s.revoked.err != nil && s.revoked.good && now.err == nil && isNews {
		s.revoked.value.List, changed = s.partial, true
	}
	if s.revoked.err != nil {
		broken[name] = fmt.Errorf("%s: %w", name, s.revoked.err)
	}
	if changed {
		s.source.Log.Info("revocations loaded", "file", name, "entries", s.revoked.value.Len())
	}
	return changed
}

// missedRevocations is why a list that is not there matters; nil if there need not be one.
func (s *Store) missedRevocations() error {
	switch missing := s.revoked.loaded.IsZero(); {
	case missing && !s.config.value.RequiresRevocations:
		return nil
	case missing:
		return errors.New("the file is not there: nobody knows what is revoked. Is its ConfigMap deleted, and the operator not running?")
	default:
		return errGone
	}
}

// parseRevocations keeps the last good list, and what is to be in force while the present one is bad.
func (s *Store) parseRevocations(raw []byte) (revocations, error) {
	list, err := revocation.Parse(raw)
	if err != nil {
		s.partial = s.lastGood.With(list)
		return revocations{List: list}, err
	}
	s.lastGood = list
	return revocations{List: list, sha256: digest(raw)}, nil
}
