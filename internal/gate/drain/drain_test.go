package drain_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/drain"
)

func isIdle(t *testing.T, d *drain.Drain) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := d.Idle(ctx)
	// With both true, select picks either: asked often enough, an idle Drain says so.
	for range 50 {
		if err == nil {
			return true
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		err = d.Idle(ctx)
	}
	return false
}

func TestIdle(t *testing.T) {
	d := drain.New(nil)
	if !isIdle(t, d) {
		t.Error("nothing was begun")
	}
	d.Enter(http.MethodGet)
	if !isIdle(t, d) {
		t.Error("a GET stream is no work in progress")
	}
	first, second := d.Enter(http.MethodPost), d.Enter(http.MethodDelete)
	first()
	if isIdle(t, d) {
		t.Error("one of two requests is still in flight")
	}
	second()
	if !isIdle(t, d) {
		t.Error("both requests have ended")
	}
	third := d.Enter(http.MethodPost)
	if isIdle(t, d) {
		t.Error("a request has begun again")
	}
	third()
	if !isIdle(t, d) {
		t.Error("the last request has ended")
	}
}
