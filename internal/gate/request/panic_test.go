package request

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/body"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/writedeadline"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/secret"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/audit"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/metrics"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/probeid"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/stats"
)

// passing runs an exchange whose steps end in a panic, and gives what went on panicking.
func passing(steps func(*exchange)) (panicked any) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(`{"id":7}`))
	probes, err := probeid.NewRecognizer("")
	if err != nil {
		panic(err)
	}
	log := slog.New(slog.DiscardHandler)
	x := &exchange{
		handler: &Handler{
			Metrics: metrics.New(func() map[string]int { return nil }), Stats: stats.New(), Probes: probes,
			Secrets: secret.Open("/nowhere", log), Sampler: audit.NewSampler(nil), Now: time.Now, Log: log,
		},
		snapshot: &snapshot.Snapshot{}, request: r, body: body.Of(w, r, 1<<20), began: time.Now(), deadline: writedeadline.New(w, r, time.Minute),
		response: &recorder{ResponseWriter: w, leaving: func() bool { return false }},
	}
	defer func() { panicked = recover() }()
	defer x.report()
	defer x.recoverPanic()
	steps(x)
	return nil
}

func TestPanicInAnAnswerCutsItOff(t *testing.T) {
	for name, cause := range map[string]any{"a bug": "a bug", "on purpose": http.ErrAbortHandler} {
		panicked := passing(func(x *exchange) {
			x.response.WriteHeader(200)
			panic(cause)
		})
		if err, ok := panicked.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("%s: panic %v", name, panicked)
		}
	}
}
