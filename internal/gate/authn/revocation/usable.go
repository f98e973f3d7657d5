package revocation

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// Usable returns the entries of a list of which Parse finds fault with some: those without fault as they
// are, and for one that is at fault and revokes all the same an entry without fault for each name that it may mean.
func Usable(data []byte) []string {
	var usable []string
	for _, line := range linesOf(string(data)) {
		if line.isEmpty() || len(usable) >= maxEntries {
			continue
		}
		list := newList()
		err := list.add(line.text)
		if err == nil {
			usable = append(usable, line.text)
		}
		if errors.Is(err, errUnseen) || errors.Is(err, errJSON) {
			usable = append(usable, list.spelledOut()...)
		}
	}
	return usable
}

// spelledOut are entries for all names of the list, each of which can mean one name only.
func (r List) spelledOut() (entries []string) {
	for kind, names := range map[string]map[string]bool{"jti:": r.ids, "sub:": r.subjects, "kid:": r.keyIDs} {
		for name := range names {
			entries = append(entries, kind+inASCII(name))
		}
	}
	for subject, at := range r.beforeFor {
		entries = append(entries, "issuedBefore:"+at.Format("2006-01-02T15:04:05.999999999Z07:00")+" "+inASCII(subject))
	}
	slices.Sort(entries)
	return entries
}

// inASCII is a JSON string in which every character can be seen.
func inASCII(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(fmt.Sprintf("a string has no JSON: %v", err)) // there is none
	}
	var out strings.Builder
	for _, r := range string(quoted) {
		if r < 0x80 {
			out.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&out, `\u%04x`, unit)
		}
	}
	return out.String()
}
