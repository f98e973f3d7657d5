package drain

import (
	"net/http"
	"testing"
	"time"
)

// /terminate can be called by anybody who reaches the admin port: a pod that lives on must recover.
func TestPodThatLivesOnForgetsItsEnd(t *testing.T) {
	d := New()
	d.reprieve = time.Millisecond
	d.Terminate(0, 0)
	before := d.StreamsEnd(http.MethodPost)
	<-before
	for deadline := time.Now().Add(20 * time.Second); d.Ending(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("still ending")
		}
	}
	select {
	case <-d.StreamsEnd(http.MethodPost):
		t.Error("a new stream must end at once")
	default:
	}
}
