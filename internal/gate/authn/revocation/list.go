// Package revocation reads the list of what is no longer accepted although it is signed; see gateapi.RevokedFile.
//
// It must not know tokens, nor where the list comes from.
package revocation

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"
)

// maxEntries bounds a list: 9,999 entries of users, and those by which the prober sees it work.
const maxEntries = 10_002

// List is what is no longer accepted although it is signed. The zero value revokes nothing.
type List struct {
	ids, subjects, keyIDs map[string]bool
	before                time.Time            // for everybody; zero if there is none
	beforeFor             map[string]time.Time // by subject
	entries               int
}

func newList() List {
	return List{
		ids: map[string]bool{}, subjects: map[string]bool{}, keyIDs: map[string]bool{}, beforeFor: map[string]time.Time{},
	}
}

// Len is the number of entries.
func (r List) Len() int { return r.entries }

// With revokes what either list revokes.
func (r List) With(other List) List {
	out := newList()
	for _, list := range []List{r, other} {
		maps.Copy(out.ids, list.ids)
		maps.Copy(out.subjects, list.subjects)
		maps.Copy(out.keyIDs, list.keyIDs)
		for subject, at := range list.beforeFor {
			out.issuedBefore(at, subject)
		}
		if list.before.After(out.before) {
			out.before = list.before
		}
		out.entries += list.entries
	}
	return out
}

// Parse reads the format of gateapi.RevokedFile. The error names each line that is no entry, or that may
// mean something else than it seems to, by its number and never quotes it; what could be read is returned beside it.
func Parse(data []byte) (List, error) {
	list := newList()
	const told = 10
	var problems []error
	lines := 0
	for _, line := range linesOf(string(data)) {
		if line.isEmpty() {
			continue
		}
		if lines++; lines > maxEntries {
			return list, errors.Join(append(problems, fmt.Errorf("line %d: more than %d entries", line.number, maxEntries))...)
		}
		err := list.add(line.text)
		if line.isPart {
			continue
		}
		if err == nil || errors.Is(err, errUnseen) || errors.Is(err, errJSON) {
			list.entries++
		}
		if err != nil && len(problems) < told {
			problems = append(problems, fmt.Errorf("line %d: %w", line.number, err))
		}
	}
	return list, errors.Join(problems...)
}

var errNoEntry = errors.New("not an entry: write jti:<id>, sub:<subject>, kid:<key> or issuedBefore:<RFC 3339 time> [<subject>]")

func (r *List) add(line string) error {
	kind, value, _ := strings.Cut(line, ":")
	value = trim(value)
	if value == "" || strings.HasPrefix(value, "#") || !utf8.ValidString(value) {
		return errNoEntry
	}
	switch kind {
	case "jti":
		return put(r.ids, value)
	case "sub":
		return put(r.subjects, value)
	case "kid":
		return put(r.keyIDs, value)
	case "issuedBefore":
		return r.addTime(value)
	default:
		return errNoEntry
	}
}

// put revokes every reading of a name.
func put(into map[string]bool, text string) error {
	all, err := readings(text)
	for _, name := range all {
		into[name] = true
	}
	return err
}

// addTime keeps the latest time where there are several.
func (r *List) addTime(value string) error {
	text, subject := value, ""
	if end := strings.IndexFunc(value, isSpace); end >= 0 {
		text, subject = value[:end], trim(value[end:])
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return errors.New("issuedBefore: not a time such as 2026-01-31T00:00:00Z")
	}
	if subject == "" || strings.HasPrefix(subject, "#") {
		if at.After(r.before) {
			r.before = at
		}
		return nil
	}
	all, err := readings(subject)
	for _, name := range all {
		r.issuedBefore(at, name)
	}
	return err
}

func (r *List) issuedBefore(at time.Time, subject string) {
	if at.After(r.beforeFor[subject]) {
		r.beforeFor[subject] = at
	}
}

// Cover says by which kind of entry a verified token is revoked; empty if by none. names are those by which its caller is
// known. A token that does not say when it was issued cannot show that it is younger than issuedBefore.
func (r List) Cover(names []string, keyID, tokenID string, issuedAt time.Time) string {
	before := r.before
	for _, name := range names {
		name = trim(name)
		if r.subjects[name] {
			return "sub"
		}
		if at := r.beforeFor[name]; at.After(before) {
			before = at
		}
	}
	switch {
	case r.ids[trim(tokenID)]:
		return "jti"
	case r.keyIDs[trim(keyID)]:
		return "kid"
	case !before.IsZero() && issuedAt.Before(before):
		return "issuedBefore"
	default:
		return ""
	}
}
