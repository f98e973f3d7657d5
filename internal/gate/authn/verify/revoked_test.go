package verify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/revocation"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

func TestRevocation(t *testing.T) {
	b := newFixture(t)
	b.addQuilt()
	at := func(offset time.Duration) string { return now.Add(offset).Format(time.RFC3339) }
	alice, quilt := b.good(), b.quilt(b.quiltClaims())
	undated := b.sign(b.ed, b.header(), with(b.claims(), "iat", nil))
	for name, c := range map[string]struct {
		list, raw string
		revoked   bool
	}{
		"nothing":                          {"", alice, false},
		"its id":                           {"jti:1", alice, true},
		"another's id":                     {"jti:11", alice, false},
		"its subject":                      {"sub:alice", alice, true},
		"a longer subject":                 {"sub:alice2", alice, false},
		"subject in other case":            {"sub:Alice", alice, false},
		"its key":                          {"kid:" + b.ed.ID(), alice, true},
		"another key":                      {"kid:" + b.ec.ID(), alice, false},
		"an id that is a subject":          {"jti:alice", alice, false},
		"issued before":                    {"issuedBefore:" + at(time.Second), alice, true},
		"issued at that moment":            {"issuedBefore:" + at(0), alice, false},
		"issued before, in another zone":   {"issuedBefore:" + now.Add(time.Second).In(time.FixedZone("", 3600)).Format(time.RFC3339), alice, true},
		"issued before, for the subject":   {"issuedBefore:" + at(time.Second) + " alice", alice, true},
		"issued before, for another":       {"issuedBefore:" + at(time.Second) + " bob", alice, false},
		"the later of two":                 {"issuedBefore:" + at(time.Second) + "\nissuedBefore:" + at(-time.Hour), alice, true},
		"the later of two, for one":        {"issuedBefore:" + at(time.Second) + " alice\nissuedBefore:" + at(-time.Hour) + " alice", alice, true},
		"all before, one not":              {"issuedBefore:" + at(-time.Hour) + "\nissuedBefore:" + at(time.Second) + " alice", alice, true},
		"no iat, and all before":           {"issuedBefore:" + at(-time.Hour), undated, true},
		"no iat, and another before":       {"issuedBefore:" + at(-time.Hour) + " bob", undated, false},
		"a comment":                        {"# jti:1\n\n  #sub:alice", alice, false},
		"space around, and line ends":      {"\r\n  jti: 1 \r\n", alice, true},
		"a subject of several claims":      {`sub:["7","u-1"]`, quilt, true},
		"a part of such a subject":         {"sub:7", quilt, false},
		"such a subject, before":           {"issuedBefore:" + at(-time.Hour) + ` ["7","u-1"]`, quilt, true},
		"no jti, and one listed":           {"jti:1", quilt, false},
		"sub beside other identity claims": {"sub:alice", b.quilt(with(b.quiltClaims(), "sub", "alice")), true},
	} {
		b.revoked = c.list
		want := gateapi.Reason("")
		if c.revoked {
			want = gateapi.ReasonRevoked
		}
		b.refused(name, c.raw, want)
	}
	b.revoked = "sub:alice"
	b.refused("whoever forges a revoked token learns nothing of it", b.sign(b.unused, b.header(), b.claims()), gateapi.ReasonBadSignature)
}

func TestListsOfRevocations(t *testing.T) {
	for name, c := range map[string]struct{ list, want string }{
		"no kind":         {"alice", "line 1: not an entry"},
		"unknown kind":    {"# who\nuser:alice", "line 2: not an entry"},
		"kind in capital": {"SUB:alice", "line 1: not an entry"},
		"no value":        {"sub:\n\njti: ", "line 1: not an entry: write jti:<id>, sub:<subject>, kid:<key> or issuedBefore:<RFC 3339 time> [<subject>]\nline 3: not an entry"},
		"no time":         {"issuedBefore:yesterday", "line 1: issuedBefore: not a time"},
		"a date only":     {"issuedBefore:2026-01-31", "line 1: issuedBefore: not a time"},
		"not UTF-8":       {"sub:\xff", "line 1: not an entry"},
		"a comment alone": {"sub: # alice", "line 1: not an entry"},
		"half a string":   {"\nsub:\"alice", "line 2: it begins like a JSON string or array and is none"},
		"half an array":   {`sub:["1","alice"`, "line 1: it begins like a JSON"},
		"an object in it": {`sub:[{"alice":1}]`, "line 1: it begins like a JSON"},
		"text behind it":  {`sub:["1"] alice`, "line 1: it begins like a JSON"},
		"a space of none": {"sub:alice\u00a0smith", "line 1: it has a character that cannot be seen"},
		"a soft hyphen":   {"issuedBefore:2026-01-31T00:00:00Z ali\u00adce", "line 1: it has a character that cannot be seen"},
		"mark inside":     {"jti:ali\u200bce", "line 1: it has a character that cannot be seen"},
		"text direction":  {"kid:\u202ealice", "line 1: it has a character that cannot be seen"},
		"too many":        {strings.Repeat("jti:a\n", 10_003), "line 10003: more than 10002 entries"},
	} {
		_, err := revocation.Parse([]byte(c.list))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "alice") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := revocation.Parse([]byte(strings.Repeat("jti:a\n#\n", 10_002))); err != nil {
		t.Errorf("as many as there may be: %v", err)
	}
	var wrong strings.Builder
	for i := range 50 {
		fmt.Fprintf(&wrong, "wrong %d\n", i)
	}
	if _, err := revocation.Parse([]byte(wrong.String())); strings.Count(err.Error(), "\n") != 9 {
		t.Errorf("a list of nothing but errors: %v", err)
	}
	b := newFixture(t)
	partial, err := revocation.Parse([]byte("nonsense\nsub:alice\n"))
	if err == nil {
		t.Error("no error")
	}
	if _, denial := verify.New(b.config, podUID, b.loaded, partial, testClock).Verify(b.good()); denial == nil || denial.Reason != gateapi.ReasonRevoked {
		t.Errorf("what could be read is not in the list: %+v", denial)
	}
}
