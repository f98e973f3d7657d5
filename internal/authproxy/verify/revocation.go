package verify

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// maxRevocations bounds a list: 9,999 entries of users, and those by which the prober sees it work.
const maxRevocations = 10_002

// Revocations is what is no longer accepted although it is signed. The zero value revokes nothing.
type Revocations struct {
	ids, subjects, keyIDs map[string]bool
	before                time.Time            // for everybody; zero if there is none
	beforeFor             map[string]time.Time // by subject
}

// Len is the number of entries that differ.
func (r Revocations) Len() int {
	count := len(r.ids) + len(r.subjects) + len(r.keyIDs) + len(r.beforeFor)
	if !r.before.IsZero() {
		count++
	}
	return count
}

// ParseRevocations reads the format of authproxy.RevokedFile. The error names each line that is no entry by its number
// and never quotes it; what could be read is returned beside it.
func ParseRevocations(data []byte) (Revocations, error) {
	list := Revocations{
		ids: map[string]bool{}, subjects: map[string]bool{}, keyIDs: map[string]bool{}, beforeFor: map[string]time.Time{},
	}
	const told = 10
	var problems []error
	number, entries := 0, 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if entries++; entries > maxRevocations {
			return list, errors.Join(append(problems, fmt.Errorf("line %d: more than %d entries", number, maxRevocations))...)
		}
		if err := list.add(line); err != nil && len(problems) < told {
			problems = append(problems, fmt.Errorf("line %d: %w", number, err))
		}
	}
	return list, errors.Join(problems...)
}

var errNoEntry = errors.New("not an entry: write jti:<id>, sub:<subject>, kid:<key> or issuedBefore:<RFC 3339 time> [<subject>]")

func (r *Revocations) add(line string) error {
	kind, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	if value == "" || !utf8.ValidString(value) {
		return errNoEntry
	}
	switch kind {
	case "jti":
		r.ids[value] = true
	case "sub":
		r.subjects[value] = true
	case "kid":
		r.keyIDs[value] = true
	case "issuedBefore":
		return r.addTime(value)
	default:
		return errNoEntry
	}
	return nil
}

// addTime keeps the latest time where there are several.
func (r *Revocations) addTime(value string) error {
	text, subject, _ := strings.Cut(value, " ")
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return errors.New("issuedBefore: not a time such as 2026-01-31T00:00:00Z")
	}
	subject = strings.TrimSpace(subject)
	switch {
	case subject == "" && at.After(r.before):
		r.before = at
	case subject != "" && at.After(r.beforeFor[subject]):
		r.beforeFor[subject] = at
	}
	return nil
}

// cover tells whether a verified token is revoked. A subject is meant by its name or by the "sub" of its token. A token
// that does not say when it was issued cannot show that it is younger than issuedBefore.
func (r Revocations) cover(p Principal, c claims) bool {
	before := r.before
	for _, subject := range []string{p.subject, c.subject} {
		if r.subjects[subject] {
			return true
		}
		if at := r.beforeFor[subject]; at.After(before) {
			before = at
		}
	}
	return r.ids[c.id] || r.keyIDs[p.keyID] || !before.IsZero() && c.issuedAt.Before(before)
}
