package controllers_test

import (
	"maps"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

// Several processes may tell the suite's specs, each with an API server of its own. What concerns all of them together is told
// to the report, which one of them reads.

var _ = AfterSuite(func() {
	addReport(reasonsSaid, slices.Collect(maps.Keys(saidReasons)))
	audit.tell()
})

// addReport puts lines into the report.
func addReport(what string, lines []string) {
	AddReportEntry(what, ReportEntryVisibilityNever, strings.Join(lines, "\n"))
}

// reported gathers what all processes have told.
func reported(report Report, what string) map[string]bool {
	lines := map[string]bool{}
	for _, node := range report.SpecReports {
		for _, entry := range node.ReportEntries {
			if entry.Name != what {
				continue
			}
			for line := range strings.SplitSeq(entry.StringRepresentation(), "\n") {
				lines[line] = true
			}
		}
	}
	delete(lines, "")
	return lines
}
