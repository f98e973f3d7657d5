package attack

import (
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// A set in which something is odd, or two readers see different keys.
func TestKeySets(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	good := string(publicSet(t, s.issuers.ed))
	stranger := string(publicSet(t, s.issuers.stranger))
	strangers := strings.TrimSuffix(strings.TrimPrefix(stranger, `{"keys":`), "}")
	twin := s.issuers.stranger
	twin.kid = s.issuers.ed.kid
	two := s.issuers.rs
	two.algorithm = "RS384"
	for _, c := range []struct {
		name, set string
		cases     []tokenCase
	}{
		{"KEYS beside keys", strings.TrimSuffix(good, "}") + `,"KEYS":` + strangers + "}", s.knownAndUnknown("KEYS beside keys")},
		{"KEYS in front of keys", `{"KEYS":` + strangers + "," + strings.TrimPrefix(good, "{"), s.knownAndUnknown("KEYS in front of keys")},
		{"an EC key without y", strings.Replace(good, `{"keys":[`, `{"keys":[{"kty":"EC","kid":"a","crv":"P-256","x":"AA"},`, 1), s.knownAndUnknown("an EC key without y")},
		{"an oct key", strings.Replace(good, `{"keys":[`, `{"keys":[{"kty":"oct","kid":"stranger-1","k":"AAAA"},`, 1), s.knownAndUnknown("an oct key")},
		{"a number", strings.Replace(good, `{"keys":[`, `{"keys":[7,`, 1), s.knownAndUnknown("a number")},
		{"one key for two algorithms", string(publicSet(t, two, s.issuers.rs, s.issuers.ed)), append(s.knownAndUnknown("one key for two algorithms"),
			tokenCase{"J22", "RS256 beside RS384", s.mint(by(s.issuers.rs)), ""})},
		{"two keys that cannot be told apart", string(publicSet(t, s.issuers.ed, twin, s.issuers.ec)), []tokenCase{
			{"J22", "the first of the twins", s.mint(), "unknown_key"},
			{"J22", "the second of the twins", s.mint(by(twin)), "unknown_key"},
			{"J22", "the key beside the twins", s.mint(by(s.issuers.ec)), ""},
		}},
	} {
		replaceFile(t, s.keysDir, gateapi.KeysFile("main"), []byte(c.set))
		s.revoke(t, "sub:by "+c.name) // the gate has read its files anew
		s.try(t, attacks(c.cases))
	}
}

// knownAndUnknown are tokens of a set with the one good key.
func (s *site) knownAndUnknown(set string) []tokenCase {
	return []tokenCase{
		{"J22", set + ": its good key", s.mint(), ""},
		{"J22", set + ": another's", s.mint(by(s.issuers.stranger)), "unknown_key"},
	}
}
