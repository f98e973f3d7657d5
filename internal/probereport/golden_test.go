package probereport_test

import (
	"bytes"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/internal/probereport"
)

var update = flag.Bool("update", false, "write the golden files anew")

const missingToken = "401 with a Bearer challenge and reason missing_token"

func valid() probe.Result {
	return probe.Result{
		Case: probe.Valid, Outcome: probe.Passed, Method: "POST", Status: 200, Expected: "2xx with a JSON-RPC result",
		Seen: "200, application/json, a JSON-RPC result", Duration: 3456 * time.Microsecond,
	}
}

func refused(name probe.Case, reason string) probe.Result {
	return probe.Result{
		Case: name, Outcome: probe.Passed, Method: "POST", Status: 401, Reason: reason, Duration: 812 * time.Microsecond,
		Expected: "401 with a Bearer challenge and reason " + reason, Seen: "401, application/json, reason " + reason,
	}
}

func newReport(results ...probe.Result) probe.Report {
	return probe.Report{
		URL: "http://everything.demo.svc:8080/mcp", Tier: probe.Full, Seed: 18446744073709551615, Started: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Duration: 21 * time.Millisecond, Results: results, ClockSeen: true, ClockOffset: -1500 * time.Millisecond, ClockTolerance: 30 * time.Second,
		Server: &probe.ServerInfo{Name: "everything", Version: "1.2", ProtocolVersion: "2025-11-25", Tools: 7},
	}
}

// runs are rounds of each standing.
func runs() map[string]probereport.Run {
	locked := newReport(valid(), refused(probe.NoToken, "missing_token"), refused(probe.Malformed, "malformed_token"), valid())
	locked.Skipped = []probe.Skipped{{Case: probe.RetiredKey, Reason: "no retired key is known"}}

	let := probe.Result{
		Case: probe.NoToken, Outcome: probe.Accepted, Method: "POST", Status: 200, Confirmed: true, Expected: missingToken,
		Seen: `200, application/json, a "JSON-RPC" <result> & more`, Duration: 2 * time.Millisecond,
	}
	again := let
	again.Confirmed = false
	varied := refused(probe.Varied, "malformed_token")
	varied.Provider, varied.Variation, varied.Outcome, varied.Status, varied.Seen = "issuer-a", "header in small letters", probe.NotTried, 0, "the check was cancelled"
	open := newReport(valid(), let, again, valid(), varied, valid())

	down := newReport(probe.Result{
		Case: probe.Valid, Outcome: probe.Refused, Method: "POST", Expected: "2xx with a JSON-RPC result", Seen: "connection refused",
		Duration: 400 * time.Microsecond,
	}, probe.Result{Case: probe.NoToken, Outcome: probe.NotTried, Expected: missingToken, Seen: "the target could not be reached"})
	down.Server, down.ClockSeen = nil, false

	out := map[string]probereport.Run{}
	for name, report := range map[string]probe.Report{"locked": locked, "open": open, "unreachable": down} {
		out[name] = probereport.Run{Report: report, Verdict: verdicts.Of(report), Gate: name != "unreachable"}
	}
	return out
}

var forms = map[string]func(io.Writer, probereport.Run) error{
	".txt": probereport.Table, ".json": probereport.JSON, ".xml": probereport.JUnit,
}

func TestGolden(t *testing.T) {
	for name, run := range runs() {
		for ending, write := range forms {
			t.Run(name+ending, func(t *testing.T) {
				var out bytes.Buffer
				if err := write(&out, run); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join("testdata", name+ending)
				if *update {
					if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(out.Bytes(), want) {
					t.Errorf("%s differs (go test -update writes it anew):\n%s", path, out.Bytes())
				}
			})
		}
	}
}

// Every kind of verdict has a standing, and that of the operator's condition: True, False or Unknown.
func TestStanding(t *testing.T) {
	want := map[probe.Kind]probereport.Standing{
		probe.Open: probereport.NotLocked, probe.ValidRejected: probereport.NotLocked, probe.Broken: probereport.NotLocked,
		probe.ClockSkew: probereport.NotProven, probe.UpstreamUnavailable: probereport.NotProven,
		probe.Unreachable: probereport.NotProven, probe.Inconclusive: probereport.NotProven, probe.Locked: probereport.Locked,
	}
	for _, kind := range probe.Kinds() {
		run := probereport.Run{Verdict: probe.Verdict{Kind: kind}}
		if got := run.Standing(); got != want[kind] {
			t.Errorf("%s: %s, want %s", kind, got, want[kind])
		}
	}
}

// junitTime is how Jenkins's schema (junit-10.xsd) wants a time: seconds with at most three decimals.
var junitTime = regexp.MustCompile(`^[0-9]+\.[0-9]{3}$`)

// What readers of JUnit reports rely on: counts that agree with the test cases, names that occur once, and a report
// without evidence that is not green.
func TestJUnitIsConsistent(t *testing.T) {
	for name, run := range runs() {
		var out bytes.Buffer
		if err := probereport.JUnit(&out, run); err != nil {
			t.Fatal(err)
		}
		var read struct {
			Suite struct {
				Tests    int    `xml:"tests,attr"`
				Failures int    `xml:"failures,attr"`
				Errors   int    `xml:"errors,attr"`
				Skipped  int    `xml:"skipped,attr"`
				Time     string `xml:"time,attr"`
				Cases    []struct {
					Name    string    `xml:"name,attr"`
					Time    string    `xml:"time,attr"`
					Failure *struct{} `xml:"failure"`
					Error   *struct{} `xml:"error"`
					Skipped *struct{} `xml:"skipped"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		if err := xml.Unmarshal(out.Bytes(), &read); err != nil {
			t.Fatal(err)
		}
		if !junitTime.MatchString(read.Suite.Time) {
			t.Errorf("%s: a time of %q", name, read.Suite.Time)
		}
		suite, names := read.Suite, map[string]bool{}
		failures, errors, skipped := 0, 0, 0
		for _, c := range suite.Cases {
			if names[c.Name] {
				t.Errorf("%s: two test cases are called %q", name, c.Name)
			}
			names[c.Name] = true
			if !junitTime.MatchString(c.Time) {
				t.Errorf("%s: a time of %q", name, c.Time)
			}
			for _, count := range []struct {
				there *struct{}
				count *int
			}{{c.Failure, &failures}, {c.Error, &errors}, {c.Skipped, &skipped}} {
				if count.there != nil {
					*count.count++
				}
			}
		}
		if suite.Tests != len(suite.Cases) || suite.Failures != failures || suite.Errors != errors || suite.Skipped != skipped {
			t.Errorf("%s: the counts are not those of the test cases: %+v", name, suite)
		}
		if green := failures+errors == 0; green != (run.Standing() == probereport.Locked) {
			t.Errorf("%s: green: %v", name, green)
		}
	}
}
