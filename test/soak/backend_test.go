//go:build soak

package soak

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"
)

// answerHeader of a request says what the backend answers it with; without it the backend answers with an echo.
const (
	answerHeader = "X-Answer"
	answerStream = "stream" // an event every second, until the request is given up
	answerLarge  = "large"  // largeAnswer bytes
)

const largeAnswer = 64 << 20

// backend is the server behind a gate under siege.
func backend(w http.ResponseWriter, r *http.Request) {
	switch r.Header.Get(answerHeader) {
	case answerStream:
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for n := 0; r.Context().Err() == nil; n++ {
			fmt.Fprintf(w, "data: %d\n\n", n)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
			case <-tick.C:
			}
		}
	case answerLarge:
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		piece := bytes.Repeat([]byte(" "), 32<<10)
		for left := largeAnswer; left > 0 && r.Context().Err() == nil; left -= len(piece) {
			_, _ = w.Write(piece)
		}
	default:
		echo(w, r)
	}
}
