package claimpath

import (
	"bytes"
	"encoding/json"
)

// Compound is the one spelling of a caller's name that is made of several claims: a JSON array of strings and numbers,
// without spaces, with no character escaped that need not be, and each number as Number spells it.
func Compound(values []any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)                   // "R&D" is to be found as people write it.
	if err := encoder.Encode(values); err != nil { // Strings and numbers that came from JSON go back.
		return ""
	}
	return string(bytes.TrimSuffix(out.Bytes(), []byte("\n")))
}
