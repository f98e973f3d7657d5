package authprobe

import (
	"time"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// controlMissing is the evidence where no good token is to be had: what refuses everybody refuses bad tokens, too.
func controlMissing(at time.Time) evidence {
	return evidence{
		at: at, grade: unknown, reason: v1alpha1.ReasonControlMissing, question: "control",
		expected: "a good token to try", seen: "no provider of type Managed",
		message: "The operator has no good token for it, because no provider is of type Managed: that a bad one is refused proves nothing. " +
			"Add a provider of type Managed beside the others, or let pods take traffic without proof (authProbe.readinessGate: Off).",
	}
}
