package probe

import (
	"time"
)

// Report is what one check saw. It holds nothing of any token, and is fit for status, logs and the eyes of anyone who
// may read the MCPServer.
type Report struct {
	URL      string        `json:"url"`
	Tier     Tier          `json:"tier"`
	Started  time.Time     `json:"started"`
	Duration time.Duration `json:"duration"`
	// Seed repeats the check's choices.
	Seed uint64 `json:"seed"`
	// Results are in the order asked: the positive control first and last, and every case of the check, also when NotTried. A
	// case that got a wrong answer is followed by the same once more, and a positive control.
	Results []Result `json:"results"`
	// Skipped are the cases of this target that could not be asked for want of something, such as a key to sign with. They
	// say nothing for or against the gate.
	Skipped []Skipped `json:"skipped,omitempty"`
	// Replay is for the next check on the same gate.
	Replay Replay `json:"-"`
	// Sessions are for the next check on the same gate, too. EndRefused tells of them whether the server ends any.
	Sessions Sessions `json:"-"`
	// Turn and Failures are likewise for the next check.
	Turn     Turn     `json:"-"`
	Failures Failures `json:"-"`
	// Extra is how many connections the check made beyond Tier.Connections: for a row of many requests at a time, and where a
	// session had ended.
	Extra int `json:"-"`
	// Server is nil when the positive control did not get as far as an MCP handshake.
	Server *ServerInfo `json:"server,omitempty"`
	// ClockSeen reports whether an answer carried a Date; ClockOffset is how far the target's clock is ahead (negative:
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
	// Variation tells apart the test cases of a case that has several.
	Variation string `json:"variation,omitempty"`
	// Status is the HTTP status of the answer that decided, 0 when no response head came.
	Status int `json:"status,omitempty"`
	// Reason is what the gate named as the reason of an answer of its own; "" when the answer was not the gate's.
	Reason string `json:"reason,omitempty"`
	// Confirmed: the bad request got a wrong answer, and again at once, on a new connection, beside a positive control that
	// passed. Of one that was let in: it was let in again.
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
