//go:build soak

package soak

import (
	"fmt"
	"strings"
)

// letters are the resources that the hostile caller may listen to: the last rule's.
func letters() (names []string) {
	for i := range heavyResources {
		names = append(names, string(rune('a'+i)))
	}
	return names
}

// listens is a batch of subscriptions/listen, each about so many resources.
func listens(count, resources int) string {
	quoted := make([]string, resources)
	for i := range quoted {
		quoted[i] = `"` + letters()[i%heavyResources] + `"`
	}
	about := strings.Join(quoted, ",")
	messages := make([]string, count)
	for i := range messages {
		messages[i] = fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":[%s]}}}`, i, about)
	}
	return "[" + strings.Join(messages, ",") + "]"
}

// largest finds the largest batch that opens a stream: of fewer subscriptions than heavyListens if need be, and if even one
// is too many, of fewer resources.
func (h *hostility) largest() string {
	h.t.Helper()
	fits := func(count, resources int) bool {
		s, _ := h.openOne(listens(count, resources))
		if s == nil {
			return false
		}
		s.stop()
		<-s.over
		return true
	}
	count, resources := heavyListens, resourcesEach
	switch {
	case fits(count, resources):
	case fits(1, resources):
		count = bisect(heavyListens, func(n int) bool { return fits(n, resources) })
	default:
		count, resources = 1, bisect(resources, func(n int) bool { return fits(1, n) })
	}
	body := listens(count, resources)
	h.batch = fmt.Sprintf("%d listens x %d resources, %.1f MiB", count, resources, mebibytes(int64(len(body))))
	return body
}

// bisect returns the largest number below limit that fits; 1 is taken to fit.
func bisect(limit int, fits func(int) bool) int {
	low, high := 1, limit
	for high-low > 1 {
		if middle := (low + high) / 2; fits(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}
