package attack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// replaceFile puts the whole file in place at once, as the kubelet does.
func replaceFile(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	write(t, dir, name+".new", data)
	must(t, os.Rename(filepath.Join(dir, name+".new"), filepath.Join(dir, name)))
}

// revoke replaces the list of revocations, and waits until the gate goes by it.
func (s *site) revoke(t *testing.T, list string) {
	t.Helper()
	mark := "mark-" + t.Name() + time.Now().Format(time.RFC3339Nano)
	replaceFile(t, s.keysDir, gateapi.RevokedFile, []byte("jti:"+mark+"\n"+list))
	asks := attack{raw: post(s.mintShared(setClaim("jti", mark)), ping), answers: one(refuse("revoked"))}
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if got := exchange(s.address, asks); got.err == nil && got.responses[0].Header.Get("Gatehouse-Reason") == "revoked" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the gate does not take the list")
		}
	}
}

// Whoever is on the list is out, however his name is spelled there.
func TestRevocations(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, list := range []struct {
		text  string
		cases func() []tokenCase
	}{
		{`sub:["1","R&D"]` + "\n" + `sub: [ 7.0, "<a>" ] # two` + "\n" + `sub:["2","\u00e9"]`, s.revokedPairs},
		{"sub:alice # left\rsub:bob\u2028sub:carol\r\nsub:  dave \u00a0\nsub:'erin'\nsub:\"frank # 2\"\n", s.revokedNames},
		{"issuedBefore:2199-01-01T00:00:00Z\tgrace # all\nnonsense\nsub:heidi\n", s.revokedOthers},
	} {
		s.revoke(t, list.text)
		s.try(t, attacks(list.cases()))
	}
}

func (s *site) revokedPairs() []tokenCase {
	pair := func(id, uuid any) string { return s.mintShared(setClaim("id", id), setClaim("uuid", uuid)) }
	return []tokenCase{
		{"J24", "revoked: an ampersand", pair("1", "R&D"), "revoked"},
		{"J24", "revoked: an ampersand, escaped in the token", s.mintShared(setClaim("id", "1"), setClaim("uuid", "R-D"), claimText(replace("R-D", `R\u0026D`))), "revoked"},
		{"J24", "revoked: a number and brackets", pair(7, "<a>"), "revoked"},
		{"J24", "revoked: a number in another spelling", s.mintShared(noClaim("id"), setClaim("uuid", "<a>"), claimText(lastMember(`"id":70e-1`))), "revoked"},
		{"J24", "revoked: an escaped letter", pair("2", "\u00e9"), "revoked"},
		{"J24", "not revoked: a number as text", pair("7", "<a>"), ""},
		{"J24", "not revoked: another", pair("1", "R"), ""},
	}
}

func (s *site) revokedNames() []tokenCase {
	var out []tokenCase
	for _, subject := range []string{"alice", " alice", "bob", "carol", "dave", "dave ", "erin", "frank # 2"} {
		out = append(out, tokenCase{"J24", "revoked: " + strings.ReplaceAll(subject, " ", "_"), s.mint(setClaim("sub", subject)), "revoked"})
	}
	return append(out,
		tokenCase{"J24", "not revoked: frank", s.mint(setClaim("sub", "frank")), ""},
		tokenCase{"J24", "not revoked: Alice", s.mint(setClaim("sub", "Alice")), ""})
}

func (s *site) revokedOthers() []tokenCase {
	return []tokenCase{
		{"J24", "revoked: by time, behind a tab, with a comment", s.mint(setClaim("sub", "grace")), "revoked"},
		{"J24", "revoked: behind a faulty line", s.mint(setClaim("sub", "heidi")), "revoked"},
		{"J24", "revoked: on the last good list, while this one is faulty", s.mint(setClaim("sub", "bob")), "revoked"},
		{"J24", "not revoked: ivan", s.mint(setClaim("sub", "ivan")), ""},
	}
}
