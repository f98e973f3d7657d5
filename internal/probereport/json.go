package probereport

import (
	"encoding/json"
	"io"
	"strconv"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// document is the JSON form. Its names do not change: docs/probe-command.md is their reference.
type document struct {
	URL             string            `json:"url"`
	Gate            bool              `json:"gate"`
	Tier            probe.Tier        `json:"tier"`
	Seed            string            `json:"seed"`
	Started         time.Time         `json:"started"`
	DurationSeconds float64           `json:"durationSeconds"`
	Verdict         verdict           `json:"verdict"`
	Results         []resultJSON      `json:"results"`
	NotAsked        []probe.Skipped   `json:"notAsked"`
	Server          *probe.ServerInfo `json:"server,omitempty"`
	Clock           *clock            `json:"clock,omitempty"`
	// SessionEndRefused is there where the server did not end the session of the round.
	SessionEndRefused *probe.EndRefused `json:"sessionEndRefused,omitempty"`
}

type verdict struct {
	Standing Standing      `json:"standing"`
	Kind     probe.Kind    `json:"kind"`
	Case     probe.Case    `json:"case"`
	Outcome  probe.Outcome `json:"outcome"`
	Message  string        `json:"message"`
}

type resultJSON struct {
	Case            probe.Case    `json:"case"`
	Provider        string        `json:"provider,omitempty"`
	Method          string        `json:"method,omitempty"`
	Variation       string        `json:"variation,omitempty"`
	Standing        Standing      `json:"standing"`
	Outcome         probe.Outcome `json:"outcome"`
	Status          int           `json:"status,omitempty"`
	Reason          string        `json:"reason,omitempty"`
	Confirmed       bool          `json:"confirmed,omitempty"`
	Expected        string        `json:"expected"`
	Seen            string        `json:"seen"`
	DurationSeconds float64       `json:"durationSeconds"`
}

// clock is how far the target's clock is ahead of the prober's, and how much of that is tolerated.
type clock struct {
	OffsetSeconds    float64 `json:"offsetSeconds"`
	ToleranceSeconds float64 `json:"toleranceSeconds"`
}

// JSON writes the round for a program.
func JSON(out io.Writer, run Run) error {
	report := run.Report
	doc := document{
		// A seed has 64 bits, more than a number of JSON is read with everywhere.
		URL: report.URL, Gate: run.Gate, Tier: report.Tier, Seed: strconv.FormatUint(report.Seed, 10),
		Started: report.Started.UTC(), DurationSeconds: inSeconds(report.Duration),
		Verdict: verdict{run.Standing(), run.Verdict.Kind, run.Verdict.Case, run.Verdict.Outcome, run.Verdict.Message},
		Results: []resultJSON{}, NotAsked: append([]probe.Skipped{}, report.Skipped...), Server: report.Server,
	}
	for _, r := range report.Results {
		doc.Results = append(doc.Results, resultJSON{
			Case: r.Case, Provider: r.Provider, Method: r.Method, Variation: r.Variation, Standing: run.standing(r),
			Outcome: r.Outcome, Status: r.Status, Reason: r.Reason, Confirmed: r.Confirmed, Expected: r.Expected, Seen: r.Seen,
			DurationSeconds: inSeconds(r.Duration),
		})
	}
	if refused := report.Sessions.EndRefused(); refused.Status != 0 {
		doc.SessionEndRefused = &refused
	}
	if report.ClockSeen {
		doc.Clock = &clock{inSeconds(report.ClockOffset), inSeconds(report.ClockTolerance)}
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(doc)
}

func inSeconds(d time.Duration) float64 { return d.Round(time.Microsecond).Seconds() }
