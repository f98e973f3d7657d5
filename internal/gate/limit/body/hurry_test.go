package body

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// deadlines remembers the last deadline that a body had set.
type deadlines struct {
	*httptest.ResponseRecorder

	last  time.Time
	calls int
	runs  bool
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.calls++
	d.runs = !at.IsZero()
	if !at.IsZero() {
		d.last = at
	}
	return nil
}

func TestHurryWaitsForNothing(t *testing.T) {
	for _, hurried := range []bool{false, true} {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		b := Of(w, httptest.NewRequest("POST", "/mcp", strings.NewReader("{}")), 10)
		if hurried {
			b.SkipDrain()
		}
		if head := string(b.Head()); head != "{}" {
			t.Errorf("hurried %t: what has come is not looked at: %q", hurried, head)
		}
		if waits := w.last.After(time.Now()); waits == hurried {
			t.Errorf("hurried %t: waits until %v", hurried, w.last)
		}
	}
}
