package probereport

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// The elements of a JUnit report that Jenkins, GitLab and others read.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name      string       `xml:"name,attr"`
		ClassName string       `xml:"classname,attr"`
		Time      string       `xml:"time,attr"`
		Skipped   *junitDetail `xml:"skipped"`
		Error     *junitDetail `xml:"error"`
		Failure   *junitDetail `xml:"failure"`
	}
	junitDetail struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// className is that of all test cases.
const className = "gatehouse.probe"

// JUnit writes the round as a test report: a test case for each result, one for each that was not asked, and one for the
// verdict. A question without an answer is skipped, but a verdict that proves nothing is an error: a report without
// evidence must not look like a good one.
func JUnit(out io.Writer, run Run) error {
	suite := junitSuite{
		Name: "gatehouse probe " + run.Report.URL, Time: junitTime(run.Report.Duration.Seconds()),
		Timestamp: run.Report.Started.UTC().Format("2006-01-02T15:04:05"),
		Properties: []junitProperty{
			{"url", run.Report.URL}, {"tier", string(run.Report.Tier)}, {"seed", strconv.FormatUint(run.Report.Seed, 10)},
			{"verdict", string(run.Verdict.Kind)},
		},
	}
	times := map[string]int{}
	for _, result := range run.Report.Results {
		suite.add(run.testCase(result, times))
	}
	for _, one := range run.Report.Skipped {
		name := question(one.Case, one.Provider)
		suite.add(junitCase{Name: distinct(name, times), Time: junitTime(0), Skipped: &junitDetail{Message: one.Reason}})
	}
	suite.add(run.verdictCase())
	if _, err := io.WriteString(out, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(out)
	encoder.Indent("", "  ")
	if err := encoder.Encode(junitSuites{Suites: []junitSuite{suite}}); err != nil {
		return err
	}
	_, err := io.WriteString(out, "\n")
	return err
}

func (s *junitSuite) add(c junitCase) {
	c.ClassName = className
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func (r Run) testCase(result probe.Result, times map[string]int) junitCase {
	c := junitCase{Name: distinct(label(result), times), Time: junitTime(result.Duration.Seconds())}
	detail := &junitDetail{
		Message: fmt.Sprintf("expected %s, saw %s", result.Expected, result.Seen), Type: string(result.Outcome),
		Text: fmt.Sprintf("asked: %s\nexpected: %s\nseen: %s\n", result.Case.Asked(), result.Expected, result.Seen),
	}
	switch r.standing(result) {
	case NotLocked:
		c.Failure = detail
	case NotProven:
		c.Skipped = &junitDetail{Message: detail.Message}
	case Locked:
	}
	return c
}

func (r Run) verdictCase() junitCase {
	c := junitCase{Name: "verdict", Time: junitTime(0)}
	detail := &junitDetail{Message: sentences[r.Verdict.Kind], Type: string(r.Verdict.Kind), Text: r.Verdict.Message}
	switch r.Standing() {
	case NotLocked:
		c.Failure = detail
	case NotProven:
		c.Error = detail
	case Locked:
	}
	return c
}

// distinct numbers names that occur again: readers of reports merge test cases of one name.
func distinct(name string, times map[string]int) string {
	times[name]++
	if count := times[name]; count > 1 {
		return fmt.Sprintf("%s (%d)", name, count)
	}
	return name
}

func junitTime(seconds float64) string { return strconv.FormatFloat(seconds, 'f', 3, 64) }
