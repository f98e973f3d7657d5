package health

import (
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
)

func TestAbsenceNamesWhatListens(t *testing.T) {
	for want, listeners := range map[string][]admin.Listener{
		"nothing listens on 127.0.0.1:8000 or [::1]:8000, and on no other port of the pod":                       nil,
		"nothing listens on 127.0.0.1:8000 or [::1]:8000; in the pod, others listen on [::1]:3000":               {{Address: "::1", Port: 3000}},
		"nothing listens on 127.0.0.1:8000 or [::1]:8000; in the pod, others listen on 0.0.0.0:3000, [::]:15020": {{Address: "0.0.0.0", Port: 3000}, {Address: "::", Port: 15020}},
	} {
		if got := absence("127.0.0.1:8000", listeners); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
