package snapshot

import (
	"fmt"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/verify"
)

// revocations is a list with the digest of the file it was read from, in hex; empty if that could be read in part only.
type revocations struct {
	verify.Revocations

	sha256 string
}

// pollRevoked takes the list of revocations. A bad list changes nothing; only when there is no good one yet, what can be
// read of it is in force: better than nothing. Where it is bad from the start, nobody knows what was revoked before, and
// the snapshot says so.
func (s *Store) pollRevoked(now content, present bool, broken map[string]error) (changed bool) {
	const name = authproxy.RevokedFile
	before := s.revocationsKnown
	defer func() {
		s.revocationsKnown = before || s.revoked.err == nil
		changed = changed || s.revocationsKnown != before
	}()
	if !present {
		changed = s.revoked.value.Len() > 0
		s.revoked = file[revocations]{}
		if changed {
			s.source.Log.Warn("nothing is revoked any more: the list is gone", "file", name)
		}
		return changed
	}
	changed = s.revoked.take(now, parseRevocations, s.source.Now())
	if s.revoked.err != nil {
		broken[name] = fmt.Errorf("%s: %w", name, s.revoked.err)
	}
	if changed {
		s.source.Log.Info("revocations loaded", "file", name, "entries", s.revoked.value.Len())
	}
	return changed
}

func parseRevocations(raw []byte) (revocations, error) {
	list, err := verify.ParseRevocations(raw)
	if err != nil {
		return revocations{Revocations: list}, err
	}
	return revocations{Revocations: list, sha256: digest(raw)}, nil
}
