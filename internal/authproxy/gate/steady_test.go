package gate

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// deadlines is an answer's connection that remembers what it was told.
type deadlines struct {
	*httptest.ResponseRecorder

	told []time.Time
}

// SetWriteDeadline is what http.ResponseController looks for.
func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.told = append(d.told, at)
	return nil
}

func TestWritesGetTheirTime(t *testing.T) {
	connection := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	s := newSteady(connection, httptest.NewRequest(http.MethodGet, "/", http.NoBody), time.Hour)
	write := func(want int) {
		t.Helper()
		if _, err := s.Write([]byte("x")); err != nil || len(connection.told) != want {
			t.Fatalf("%v, and %d deadlines", err, len(connection.told))
		}
	}
	write(1)
	write(1) // One timer does for writes in a row.
	if left := time.Until(connection.told[0]); left < 54*time.Minute || left > time.Hour {
		t.Errorf("the first write has %v", left)
	}
	s.deadline = time.Now().Add(50 * time.Minute)
	write(2)
	s.hurry()
	s.hurry()
	write(3)
	if err := s.FlushError(); err != nil || len(connection.told) != 3 {
		t.Errorf("%v, and %d deadlines", err, len(connection.told))
	}
	if left := time.Until(connection.told[2]); left > 2*time.Second {
		t.Errorf("what is left to write has %v", left)
	}
}
