//go:build conformance

package conformance

import (
	"io"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"testing"
)

var requestsTotal = regexp.MustCompile(`(?m)^\w+_requests_total\{code="\w+",outcome="(\w+)",reason="(\w*)"\} (\d+)$`)

// requests counts what the gate did with its requests until now: those it passed on, and the others by reason. The gate
// tries itself before it is ready, so there are refusals before there is a client.
func (s site) requests(t *testing.T) (forwarded int, refused map[string]int) {
	t.Helper()
	response, err := http.Get(s.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	refused = map[string]int{}
	for _, line := range requestsTotal.FindAllStringSubmatch(string(text), -1) {
		count, err := strconv.Atoi(line[3])
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case line[1] == "forwarded":
			forwarded += count
		case line[2] != "":
			refused[line[2]] += count
		}
	}
	return forwarded, refused
}

// since takes away what was refused before.
func since(before, after map[string]int) map[string]int {
	changed := maps.Clone(after)
	for reason, count := range before {
		changed[reason] -= count
	}
	maps.DeleteFunc(changed, func(_ string, count int) bool { return count == 0 })
	return changed
}
