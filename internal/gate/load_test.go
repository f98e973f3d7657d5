package gate_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// Many clients at once, good and bad, large and small, while keys and configuration change under them: nobody gets
// anybody else's answer or verdict.
func TestManyClientsWhileFilesChange(t *testing.T) {
	s := newSite(t, serveHTTP(t, echo))
	good, other := s.token(), newKey(t)
	forger := s.template
	forger.Key = newKey(t)
	forged, err := forger.Good(time.Now())
	must(t, err)
	stop := make(chan struct{})
	var changes, clients sync.WaitGroup
	changes.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			s.writeKeys(s.template.Key.Public(), other.Public())
			s.config.Limits.TokenBytes = int32(8<<10 + i%2)
			s.writeConfig()
			s.writeKeys(s.template.Key.Public())
		}
	})
	for worker := range 8 {
		clients.Go(func() {
			body := strings.Repeat(string(rune('a'+worker)), 1<<(2*worker))
			for range 30 {
				for bearer, want := range map[string]int{good: 200, forged: 401, "": 401} {
					got, err := s.try(s.request(http.MethodPost, "/mcp", bearer, io.NopCloser(strings.NewReader(body))))
					if err != nil || got.status != want || want == 200 && got.body != body {
						t.Errorf("worker %d: got %d and %d bytes, %v; want %d", worker, got.status, len(got.body), err, want)
						return
					}
				}
			}
		})
	}
	clients.Wait()
	close(stop)
	changes.Wait()
}
