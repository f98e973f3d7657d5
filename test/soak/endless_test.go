//go:build soak

package soak

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// A body whose end never comes is refused within its bound, although a byte comes every 200 ms and its caller is let in.
func TestHostileBodiesThatNeverEnd(t *testing.T) {
	costs := &table{title: "Bodies that trickle and never end", rows: [][]any{{
		"protocol", "rules", "answer", "answered after", "bound", "the server got",
	}}}
	var all sync.WaitGroup
	var mu sync.Mutex
	for _, http2 := range []bool{false, true} {
		for _, ruled := range []bool{false, true} {
			b := newBodies(t, http2, ruled)
			one := &trickle{
				name: "endless", cause: nothingHappens, bearer: mint(t, b.issuers[nothingHappens], nothingHappens),
				shape: bodyShape{name: "endless", size: 2 << 10, early: 100}, begun: make(chan struct{}),
			}
			all.Go(func() {
				began := time.Now()
				one.send(b, nil)
				took, bound := time.Since(began), bodyBound(one.shape.early)
				mu.Lock()
				defer mu.Unlock()
				costs.rows = append(costs.rows, []any{map[bool]string{false: "HTTP/1.1", true: "HTTP/2"}[http2], map[bool]string{false: "none", true: "some"}[ruled], one.verdict, took, bound, b.received(one)})
				if !strings.HasPrefix(one.verdict, "408") || took > bound+answerMargin || b.received(one) == "all of it" {
					t.Errorf("HTTP/2: %t, rules: %t: answered %s after %s; the server got %s", http2, ruled, one.verdict, took, b.received(one))
				}
			})
		}
	}
	all.Wait()
	costs.write(t)
}
