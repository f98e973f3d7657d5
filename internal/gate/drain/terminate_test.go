package drain_test

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/drain"
)

// ends records which streams have to end.
type ends struct{ listeners []bool }

func (e *ends) end(listeners bool) { e.listeners = append(e.listeners, listeners) }

func TestTerminate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &ends{}
		d := drain.New(told.end)
		if d.Ending() || d.StreamsEnd(http.MethodGet) {
			t.Error("nobody said so")
		}
		d.Terminate(0, time.Hour)
		d.Terminate(0, 0) // Only the first word counts.
		synctest.Wait()
		if !d.Ending() || !d.StreamsEnd(http.MethodGet) || !slices.Equal(told.listeners, []bool{true}) {
			t.Errorf("it was said: ending %t, GET streams end %t, told %v", d.Ending(), d.StreamsEnd(http.MethodGet), told.listeners)
		}
		if d.StreamsEnd(http.MethodPost) {
			t.Error("a request in flight has an hour left")
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if !d.StreamsEnd(http.MethodPost) || !slices.Equal(told.listeners, []bool{true, false}) {
			t.Errorf("after an hour: streams end %t, told %v", d.StreamsEnd(http.MethodPost), told.listeners)
		}
		time.Sleep(drain.Lingers)
		synctest.Wait()
	})
}

// A gate that is told to end although its pod goes on serves streams again.
func TestPodThatLivesOnForgetsItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &ends{}
		d := drain.New(told.end)
		d.Terminate(5*time.Second, 35*time.Second)
		time.Sleep(35*time.Second + drain.Lingers - time.Nanosecond)
		synctest.Wait()
		if !d.Ending() || !slices.Equal(told.listeners, []bool{true, false}) {
			t.Errorf("while the pod may still be ending: ending %t, told %v", d.Ending(), told.listeners)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if d.Ending() {
			t.Error("the pod lives on, and is still ending")
		}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if d.StreamsEnd(method) {
				t.Errorf("a new stream by %s ends at once", method)
			}
		}
		// It can end once more.
		d.Terminate(0, 0)
		synctest.Wait()
		if !d.Ending() || len(told.listeners) != 4 {
			t.Errorf("the second end: ending %t, told %v", d.Ending(), told.listeners)
		}
		time.Sleep(drain.Lingers)
		synctest.Wait()
	})
}
