package probe

import (
	"fmt"
	"strings"
	"time"
)

// message words the judgement.
func (r Report) message(kind Kind, worst Result) string {
	facts := fmt.Sprintf("%s: expected %s, saw %s.", upperFirst(worst.asked()), worst.Expected, worst.Seen)
	switch kind {
	case Locked:
		if r.Tier == Beat {
			return "The bad requests of a beat were refused for their reasons, and a valid token was let in after them."
		}
		return "Every bad request was refused for its reason, and a valid token was let in before and after."
	case Open:
		return facts + again(worst) + ": the gate is open."
	case ValidRejected:
		return facts + rejectedCure(worst)
	case Broken:
		if worst.Confirmed {
			facts += again(worst) + "."
		}
		return facts + r.brokenCure(worst)
	case ClockSkew:
		return fmt.Sprintf("The target's clock is %s off (tolerated: %s), so its answers prove nothing: set the clocks of "+
			"its node and of the prober's node. ", r.ClockOffset.Round(time.Second), r.ClockTolerance) + facts
	case UpstreamUnavailable:
		return facts + " The gate let the token in; look at the server behind it."
	case Unreachable:
		return facts + " Check that the gate runs, and what filters the network between the prober and its port."
	case Inconclusive:
		return facts + inconclusiveCure(worst)
	default:
		return facts
	}
}

// again words that a wrong answer was no accident.
func again(worst Result) string {
	if !worst.Confirmed {
		return " It was seen in an earlier check as well, and a valid token passed"
	}
	return " Asked again at once, the same, while a valid token passed"
}

func inconclusiveCure(worst Result) string {
	switch worst.Reason {
	case reasonNoKeys:
		return " The gate has no keys loaded: look at the key files in its container."
	case reasonNoRevocations:
		return " The gate cannot read the list of what is revoked: its log names the line."
	case reasonNoSecret:
		return " The gate lacks the secret by which it binds sessions: look at the Secret that is mounted into its container."
	default:
		return " This is no evidence for or against the gate."
	}
}

func rejectedCure(worst Result) string {
	if worst.Reason == "" {
		return " The gate did not say this: the server behind it refuses the token, or what the gate sends in its place."
	}
	return " Clients are locked out: compare issuer, audience and keys of the tokens with those the gate has loaded."
}

func (r Report) brokenCure(worst Result) string {
	switch worst.Outcome {
	case Accepted:
		return " It was not let in again beside a passing control, so this is no proof of an open gate, but it must not happen: look at the gate's log."
	case ForeignAnswer, Unavailable:
		return " That is not the gate's own answer: it passed the request on to the server, or something else stands on the way."
	case Reset, ClosedWithoutAnswer, Truncated, Timeout:
		return " The gate must always answer: look at its container, its restarts and its log, and at proxies on the way."
	case InformationLeak:
		return " Whoever is refused learns something of the inside: mend what answers, or what stands before it."
	case NotHTTP, TLS, Redirect:
		return " That is not the gate's answer: something else holds the port or stands on the way."
	default:
		return " The gate refuses in another way than it promises: look at its version and its log."
	}
}

// asked names what was sent, and whose token it was where several issuers are trusted.
func (result Result) asked() string {
	var about []string
	for _, text := range []string{result.Variation, issuerText(result.Provider)} {
		if text != "" {
			about = append(about, text)
		}
	}
	if len(about) == 0 {
		return result.Case.asked()
	}
	return result.Case.asked() + " (" + strings.Join(about, "; ") + ")"
}

func issuerText(provider string) string {
	if provider == "" {
		return ""
	}
	return "provider " + provider
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
