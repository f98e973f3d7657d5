package verdicts

import (
	"fmt"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// wording words the judgement.
func wording(r probe.Report, kind probe.Kind, worst probe.Result) string {
	facts := fmt.Sprintf("%s: expected %s, saw %s.", upperFirst(describe(worst)), worst.Expected, worst.Seen)
	switch kind {
	case probe.Locked:
		if r.Tier == probe.Quick {
			return "The bad requests of a beat were refused for their reasons, and a valid token was let in after them."
		}
		return "Every bad request was refused for its reason, and a valid token was let in before and after."
	case probe.Open:
		return facts + again(worst) + ": the gate is open."
	case probe.ValidRejected:
		return facts + rejectedCure(worst)
	case probe.Broken:
		if worst.Confirmed {
			facts += again(worst) + "."
		}
		return facts + brokenCure(worst)
	case probe.ClockSkew:
		return fmt.Sprintf("The target's clock is %s off (tolerated: %s), so its answers prove nothing: set the clocks of "+
			"its node and of the prober's node. ", r.ClockOffset.Round(time.Second), r.ClockTolerance) + facts
	case probe.UpstreamUnavailable:
		if worst.Status == 0 { // nothing came, so nobody saw that the gate let it in
			return facts + " The gate refused bad tokens in time. " + serverCure(r, worst)
		}
		return facts + " The gate let the token in. " + serverCure(r, worst)
	case probe.Unreachable:
		return facts + " Check that the gate runs, and what filters the network between the prober and its port."
	case probe.Inconclusive:
		return facts + inconclusiveCure(worst)
	default:
		return facts
	}
}

// again words that a wrong answer was no accident.
func again(worst probe.Result) string {
	if !worst.Confirmed {
		return " It was seen in an earlier check as well, and a valid token passed"
	}
	return " Asked again at once, the same, while a valid token passed"
}

// describe names what was sent, and whose token it was where several issuers are trusted.
func describe(result probe.Result) string {
	var about []string
	for _, text := range []string{result.Variation, issuerText(result.Provider)} {
		if text != "" {
			about = append(about, text)
		}
	}
	if len(about) == 0 {
		return result.Case.Asked()
	}
	return result.Case.Asked() + " (" + strings.Join(about, "; ") + ")"
}

func issuerText(provider string) string {
	if provider == "" {
		return ""
	}
	return "provider " + provider
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
