package authprobe

import (
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

var (
	good     = authhealth.Evidence{Grade: authhealth.Proven, Reason: v1alpha1.ReasonProven}
	wideOpen = authhealth.Evidence{Grade: authhealth.Open, Reason: v1alpha1.ReasonUnauthenticatedAccepted, Message: "let in", Question: "none", Expected: "401", Seen: "200"}
)

// failuresOf are those of a gate that answers a form wrongly.
func failuresOf(t *testing.T) probe.Failures {
	t.Helper()
	return probe.FailuresFor(probe.Failure{Result: probe.Result{Case: probe.Varied, Outcome: probe.Accepted}, Confirmed: true})
}

var thrice = desired.Probe{SuccessThreshold: 1, FailureThreshold: 3, Interval: 30 * time.Second}
