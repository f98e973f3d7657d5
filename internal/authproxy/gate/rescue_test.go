package gate

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/body"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/metrics"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/snapshot"
)

// passing runs a visit whose steps end in a panic, and gives what was answered and what went on panicking.
func passing(steps func(*visit)) (w *httptest.ResponseRecorder, panicked any) {
	w = httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(`{"id":7}`))
	v := &visit{
		gate:     &Gate{options: Options{}.withDefaults(), metrics: metrics.New(func() map[string]int { return nil })},
		snapshot: &snapshot.Snapshot{}, request: r, body: body.Of(w, r, 1<<20), began: time.Now(),
		answer: &recorder{ResponseWriter: w, leaving: func() bool { return false }},
	}
	defer func() { panicked = recover() }()
	defer v.conclude()
	defer v.rescue()
	steps(v)
	return w, nil
}

func TestPanicBecomesAnAnswer(t *testing.T) {
	w, panicked := passing(func(*visit) { panic("a bug") })
	if panicked != nil || w.Code != 500 || !strings.Contains(w.Body.String(), `"reason":"internal"`) || !strings.Contains(w.Body.String(), `"id":7`) {
		t.Errorf("got %d %s, panic %v", w.Code, w.Body, panicked)
	}
	if strings.Contains(w.Body.String(), "a bug") {
		t.Error("the answer tells of our insides")
	}
}

func TestPanicInAnAnswerCutsItOff(t *testing.T) {
	for name, cause := range map[string]any{"a bug": "a bug", "on purpose": http.ErrAbortHandler} {
		_, panicked := passing(func(v *visit) {
			v.answer.WriteHeader(200)
			panic(cause)
		})
		if panicked != http.ErrAbortHandler {
			t.Errorf("%s: panic %v", name, panicked)
		}
	}
}
