package gateconfig

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A second schema that brings two fields that tune, and two that close.
var spare = map[int][]string{2: {"limits.idleSeconds", "providers[].comment"}}

func TestTranslate(t *testing.T) {
	for _, c := range []struct {
		name, config string
		want, err    string
	}{
		{"nothing new is used", `{"port":8080,"limits":{"bodyBytes":4194304}}`, `{"port":8080,"limits":{"bodyBytes":4194304}}`, ""},
		{"what tunes is left out", `{"limits":{"bodyBytes":1,"idleSeconds":5},"providers":[{"name":"a","comment":"x"},{"name":"b"}]}`,
			`{"limits":{"bodyBytes":1},"providers":[{"name":"a"},{"name":"b"}]}`, ""},
		{"what closes is not", `{"port":1,"closed":true,"limits":{"idleSeconds":5}}`, "", "do not know closed"},
		{"a value that lets more through gives way to one that does not", `{"sessionBinding":"Stateless"}`, `{"sessionBinding":"Caller"}`, ""},
		{"nor a new value of a field", `{"sessionBinding":"Tenant","providers":[{"closed":1}]}`, "",
			"do not know providers[].closed, sessionBinding: Tenant"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := translate([]byte(c.config), 2, 1, spare)
			if errText(err) != c.err || !sameJSON(t, got, c.want) {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
	if _, err := translate([]byte(`{}`), 1, 2, spare); err == nil {
		t.Error("an older operator can write for newer gates")
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// sameJSON compares two texts, where an empty one is no JSON.
func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	if a == "" || b == "" {
		return a == b
	}
	return cmp.Equal(decoded(t, a), decoded(t, b))
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}
