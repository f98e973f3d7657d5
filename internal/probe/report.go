package probe

import (
	"fmt"
	"strings"
	"time"
)

// Report is what one round saw. It holds nothing of any token, and is fit for status, logs and the eyes of anyone who
// may read the MCPServer.
type Report struct {
	URL      string        `json:"url"`
	Tier     Tier          `json:"tier"`
	Started  time.Time     `json:"started"`
	Duration time.Duration `json:"duration"`
	// Seed repeats the round's choices.
	Seed uint64 `json:"seed"`
	// Results are in the order asked: the control first and last, and every case of the round, also when NotTried. A
	// case that got a wrong answer is followed by the same once more, and a control.
	Results []Result `json:"results"`
	// Skipped are the cases of this target that could not be asked for want of something, such as a key to sign with. They
	// say nothing for or against the gate.
	Skipped []Skipped `json:"skipped,omitempty"`
	// Replay is for the next round on the same gate.
	Replay Replay `json:"-"`
	// Turn and Failures are likewise for the next round.
	Turn     Turn     `json:"-"`
	Failures Failures `json:"-"`
	// Extra is how many connections the round made beyond Tier.Connections, for a row of many requests at a time.
	Extra int `json:"-"`
	// Server is nil when the control did not get as far as an MCP handshake.
	Server *ServerInfo `json:"server,omitempty"`
	// ClockSeen tells that an answer carried a Date; ClockOffset is how far the target's clock is ahead (negative:
	// behind), beyond what the exchange itself explains. Both clocks count as equal within ClockTolerance.
	ClockSeen      bool          `json:"clockSeen"`
	ClockOffset    time.Duration `json:"clockOffset"`
	ClockTolerance time.Duration `json:"clockTolerance"`
}

// Result is what one case came to.
type Result struct {
	Case    Case    `json:"case"`
	Outcome Outcome `json:"outcome"`
	// Provider is the name of the issuer whose token was sent or spoilt; "" where none was.
	Provider string `json:"provider,omitempty"`
	// Method is the HTTP method.
	Method string `json:"method,omitempty"`
	// Variation tells apart the questions of a case that has several.
	Variation string `json:"variation,omitempty"`
	// Status is the HTTP status of the answer that decided, 0 when no response head came.
	Status int `json:"status,omitempty"`
	// Reason is what the gate named as the reason of an answer of its own; "" when the answer was not the gate's.
	Reason string `json:"reason,omitempty"`
	// Confirmed: the bad request got a wrong answer, and again at once, on a new connection, beside a control that passed. Of
	// one that was let in: it was let in again.
	Confirmed bool `json:"confirmed,omitempty"`
	// Expected and Seen are short texts for people.
	Expected string        `json:"expected"`
	Seen     string        `json:"seen"`
	Duration time.Duration `json:"duration"`
}

// Skipped is a case that was not asked.
type Skipped struct {
	Case     Case   `json:"case"`
	Provider string `json:"provider,omitempty"`
	// Reason says to a person what was missing.
	Reason string `json:"reason"`
}

// seen describes a finding. Of the answer it repeats only what comes from a closed set, and a cleaned error message.
func (r *round) seen(f finding) string {
	text := describe(f.outcome)
	if f.answer.status != 0 {
		text = r.seenAnswer(f)
		if rest := f.answer.outcome(); rest != Passed {
			text += ", then " + describe(rest)
		}
	}
	if f.step != "" && f.step != "initialize" && f.step != "server/discover" {
		return f.step + ": " + text
	}
	return text
}

func (r *round) seenAnswer(f finding) string {
	parts := []string{fmt.Sprint(f.answer.status)}
	if mediaType := f.answer.mediaType(); knownMediaTypes[mediaType] {
		parts = append(parts, mediaType)
	}
	response, ok := parseResponse(f.answer.body, f.id)
	switch {
	case f.answer.reason() != "":
		parts = append(parts, "reason "+f.answer.reason())
	case ok && response.Error == nil:
		parts = append(parts, "a JSON-RPC result")
	case ok:
		parts = append(parts, fmt.Sprintf("JSON-RPC error %d %q", response.Error.Code, r.secrets.clean(response.Error.Message)))
	}
	if !ok && (f.outcome == UnclearMessage || f.outcome == NoResult) {
		parts = append(parts, "no JSON-RPC answer to this request")
	}
	if f.outcome == MissingChallenge {
		parts = append(parts, seenChallenge(f.answer.header.Values("WWW-Authenticate")))
	}
	if f.outcome == InformationLeak {
		parts = append(parts, "with a stack trace, a file path or the token in it")
	}
	return strings.Join(parts, ", ")
}

// seenChallenge tells what is wrong with the challenges without repeating them.
func seenChallenge(values []string) string {
	switch len(values) {
	case 0:
		return "no WWW-Authenticate"
	case 1:
		return "a WWW-Authenticate of another form"
	default:
		return fmt.Sprintf("%d WWW-Authenticate", len(values))
	}
}

// knownMediaTypes are the ones worth telling apart; a header is the target's own text.
var knownMediaTypes = map[string]bool{
	"application/json": true, "text/event-stream": true, "text/html": true, "text/plain": true,
}

// describe words an outcome for which no response head, or no whole body, was there to describe.
func describe(o Outcome) string {
	switch o {
	case Reset:
		return "a connection reset"
	case ClosedWithoutAnswer:
		return "the connection closed without an answer"
	case Truncated:
		return "the connection closed in the middle of the answer"
	case NotHTTP:
		return "bytes that are no HTTP answer"
	case TLS:
		return "a TLS failure"
	case Timeout:
		return "no complete answer in time"
	case Refused:
		return "connection refused"
	case NoRoute:
		return "no route to the target"
	case ConnectTimeout:
		return "no answer to the connection attempt in time"
	default:
		return "nothing: the request could not be made"
	}
}
