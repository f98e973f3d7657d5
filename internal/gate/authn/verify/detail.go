package verify

import (
	"encoding/json"
	"fmt"
)

// kindOf names the kind of a claim's value, as encoding/json reads it, and never the value.
func kindOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case string:
		if value == "" {
			return "an empty string"
		}
		return "a string"
	case json.Number:
		return "a number"
	case bool:
		return "a boolean"
	case []any:
		if len(value) == 0 {
			return "an empty list"
		}
		return fmt.Sprintf("a list of %d", len(value))
	default:
		return "an object"
	}
}

// kind is kindOf for a claim that may be absent.
func (c tokenClaims) kind(name string) string {
	value, present := c.members[name]
	if !present {
		return "absent"
	}
	return kindOf(value)
}
