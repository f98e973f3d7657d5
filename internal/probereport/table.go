package probereport

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/texttable"
)

// width is that of wrapped text, in characters.
const width = 100

// marks begin each row, so that what failed is found at a glance.
var marks = map[Standing]string{Locked: "ok", NotLocked: "FAIL", NotProven: "--"}

// Table writes the round for a person: a row for each question, what was expected where that is not what was seen, what
// could not be asked, and the verdict.
func Table(out io.Writer, run Run) error {
	var page strings.Builder
	heading(&page, run)
	results := run.rows()
	writeRows(&page, run, results)
	skipped(&page, run.Report.Skipped)
	closing(&page, run, results)
	_, err := io.WriteString(out, page.String())
	return err
}

func heading(page *strings.Builder, run Run) {
	fmt.Fprintln(page, run.Report.URL)
	if server := run.Report.Server; server != nil {
		fmt.Fprintf(page, "%s, MCP %s, %d tools\n", strings.TrimSpace(server.Name+" "+server.Version), server.ProtocolVersion, server.Tools)
	}
	page.WriteByte('\n')
}

func writeRows(page *strings.Builder, run Run, results []probe.Result) {
	table := texttable.Table{}
	all := [][]string{{"", "CASE", "ASKED", "SEEN", "TIME"}}
	for _, result := range results {
		all = append(all, []string{
			marks[run.standing(result)], question(result.Case, result.Provider), asked(result), result.Seen, took(result),
		})
	}
	// Once for the widths of all: each row may be followed by text.
	_ = table.Write(io.Discard, all...)
	_ = table.Write(page, all[0])
	for i, result := range results {
		_ = table.Write(page, all[i+1])
		if run.standing(result) != Locked && result.Outcome != probe.NotTried {
			fmt.Fprintln(page, texttable.Wrap("expected: "+result.Expected, width, 7))
		}
	}
}

func took(result probe.Result) string {
	if result.Outcome == probe.NotTried {
		return "-"
	}
	return result.Duration.Round(100 * time.Microsecond).String()
}

func skipped(page *strings.Builder, all []probe.Skipped) {
	if len(all) == 0 {
		return
	}
	page.WriteString("\nNot asked:\n")
	var rows [][]string
	for _, one := range all {
		rows = append(rows, []string{question(one.Case, one.Provider), one.Reason})
	}
	_ = (&texttable.Table{Indent: 2}).Write(page, rows...)
}

// sentences say what each kind of verdict means.
var sentences = map[probe.Kind]string{
	probe.Open:                "the lock does not hold, who has no good token gets in",
	probe.ValidRejected:       "a good token is refused, and so the refusals of bad ones prove nothing",
	probe.Broken:              "an answer came that a lock must not give, or none",
	probe.ClockSkew:           "nothing is proven, the clocks differ too much",
	probe.UpstreamUnavailable: "the lock is not proven, the server behind it is down",
	probe.Unreachable:         "nothing is proven, there is no connection",
	probe.Inconclusive:        "the lock is not proven",
	probe.Locked:              "the lock holds",
}

func closing(page *strings.Builder, run Run, results []probe.Result) {
	counts := map[Standing]int{}
	for _, result := range results {
		counts[run.standing(result)]++
	}
	fmt.Fprintf(page, "\n%d ok, %d failed, %d without evidence, %d not asked; %s; --seed %d asks the same again\n",
		counts[Locked], counts[NotLocked], counts[NotProven], len(run.Report.Skipped), held(run.Gate), run.Report.Seed)
	fmt.Fprintf(page, "\nVerdict: %s: %s.\n", run.Verdict.Kind, sentences[run.Verdict.Kind])
	fmt.Fprintln(page, texttable.Wrap(run.Verdict.Message, width, 2))
	if refused := run.Report.Sessions.EndRefused(); refused.Status != 0 {
		fmt.Fprintf(page, "\n%s\n", texttable.Wrap(fmt.Sprintf("Note: the server answered %d when it was asked to end the session of this check (DELETE). "+
			"It keeps the session until it forgets it by itself: if it forgets none, each check costs it the memory of one.", refused.Status), width, 0))
	}
}

func held(gate bool) string {
	if gate {
		return "held against the answers of Gatehouse's gate"
	}
	return "401 and 403 count as refusals"
}
