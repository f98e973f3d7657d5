package gate

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/audit"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/body"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/metrics"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/snapshot"
)

// passing runs a visit whose steps end in a panic, and gives what went on panicking.
func passing(steps func(*visit)) (panicked any) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(`{"id":7}`))
	known, err := newProbes("")
	if err != nil {
		panic(err)
	}
	options := Options{}.withDefaults()
	v := &visit{
		gate: &Gate{
			options: options, metrics: metrics.New(func() map[string]int { return nil }), tally: newTally(),
			probes: known, secrets: newSecretStore("/nowhere", options.Log), sampler: audit.NewSampler(nil),
		},
		snapshot: &snapshot.Snapshot{}, request: r, body: body.Of(w, r, 1<<20), began: time.Now(), steady: newSteady(w, r, time.Minute),
		answer: &recorder{ResponseWriter: w, leaving: func() bool { return false }},
	}
	defer func() { panicked = recover() }()
	defer v.conclude()
	defer v.rescue()
	steps(v)
	return nil
}

func TestPanicInAnAnswerCutsItOff(t *testing.T) {
	for name, cause := range map[string]any{"a bug": "a bug", "on purpose": http.ErrAbortHandler} {
		panicked := passing(func(v *visit) {
			v.answer.WriteHeader(200)
			panic(cause)
		})
		if err, ok := panicked.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("%s: panic %v", name, panicked)
		}
	}
}
