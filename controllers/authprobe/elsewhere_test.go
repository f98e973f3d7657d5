package authprobe

import (
	"testing"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
)

func TestAServerOnAnotherPortIsNamed(t *testing.T) {
	const absence = "nothing listens on 127.0.0.1:8000; in the pod, others listen on [::1]:8000"
	for want, c := range map[string]struct{ reason, absence string }{
		" The gate says: " + absence + ". Set port to that of the server, and have the server listen on 127.0.0.1 or on all addresses.": {v1alpha1.ReasonUpstreamUnavailable, absence},
		"": {v1alpha1.ReasonProven, absence},
	} {
		if got := elsewhere(evidence{reason: c.reason}, admin.State{ServerAbsence: c.absence}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := elsewhere(evidence{reason: v1alpha1.ReasonUpstreamUnavailable}, admin.State{}); got != "" {
		t.Errorf("a server that is slow: got %q", got)
	}
}
