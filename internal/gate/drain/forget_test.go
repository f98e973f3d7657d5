package drain_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/drain"
)

// A gate that is told to end although its pod goes on serves streams again.
func TestPodThatLivesOnForgetsItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := drain.New()
		d.Terminate(5*time.Second, 35*time.Second)
		old := d.StreamsEnd(http.MethodPost)
		time.Sleep(35*time.Second + drain.Lingers - time.Nanosecond)
		synctest.Wait()
		if !d.Ending() {
			t.Error("it is forgotten while the pod may still be ending")
		}
		select {
		case <-old:
		default:
			t.Error("a stream goes on after its end")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if d.Ending() {
			t.Error("the pod lives on, and is still ending")
		}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			select {
			case <-d.StreamsEnd(method):
				t.Errorf("a new stream by %s ends at once", method)
			default:
			}
		}
		// It can end once more.
		d.Terminate(0, 0)
		synctest.Wait()
		if !d.Ending() {
			t.Error("a second end is ignored")
		}
		time.Sleep(drain.Lingers)
		synctest.Wait()
	})
}
