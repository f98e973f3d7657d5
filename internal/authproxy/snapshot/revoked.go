package snapshot

import (
	"bytes"
	"fmt"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/verify"
)

// revocations is a list with the digest of the file it was read from, in hex; empty if that could be read in part only.
type revocations struct {
	verify.Revocations

	sha256 string
}

// pollRevoked takes the list of revocations. Of a bad list, what can be read is in force beside the last good one: its
// faulty lines hold up none of the others, and nothing is let in again for them. Where it is bad from the start, nobody
// knows what was revoked before, and the snapshot says so.
func (s *Store) pollRevoked(now content, present bool, broken map[string]error) (changed bool) {
	const name = authproxy.RevokedFile
	before := s.revocationsKnown
	defer func() {
		s.revocationsKnown = before || s.revoked.err == nil
		changed = changed || s.revocationsKnown != before
	}()
	if !present {
		changed = s.revoked.value.Len() > 0
		s.revoked, s.lastGood = file[revocations]{}, verify.Revocations{}
		if changed {
			s.source.Log.Warn("nothing is revoked any more: the list is gone", "file", name)
		}
		return changed
	}
	last, lastErr := s.revoked.raw, s.revoked.err
	changed = s.revoked.take(now, s.parseRevocations, s.source.Now())
	if isNews := lastErr == nil || !bytes.Equal(last, s.revoked.raw); s.revoked.err != nil && s.revoked.good && now.err == nil && isNews {
		s.revoked.value.Revocations, changed = s.partial, true
	}
	if s.revoked.err != nil {
		broken[name] = fmt.Errorf("%s: %w", name, s.revoked.err)
	}
	if changed {
		s.source.Log.Info("revocations loaded", "file", name, "entries", s.revoked.value.Len())
	}
	return changed
}

// parseRevocations keeps the last good list, and what is to be in force while the present one is bad.
func (s *Store) parseRevocations(raw []byte) (revocations, error) {
	list, err := verify.ParseRevocations(raw)
	if err != nil {
		s.partial = s.lastGood.With(list)
		return revocations{Revocations: list}, err
	}
	s.lastGood = list
	return revocations{Revocations: list, sha256: digest(raw)}, nil
}
