package verdicts

import (
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// Asked is a test case that was put: its results, of which the second is -1 where it was asked once.
type Asked struct {
	Seed, Turn    uint64
	Tools         []probe.Tool
	First, Second int
}

// Settle gives the failures after a check: those that are kept or new, without those that are refuted.
func Settle(r probe.Report, questions []Asked) probe.Failures {
	out := r.Failures
	for _, asked := range questions {
		first := r.Results[asked.First]
		failed, right := fails(r, first), btoi(first.Outcome == probe.Passed)
		if asked.Second >= 0 {
			second := r.Results[asked.Second]
			right += btoi(second.Outcome == probe.Passed)
			if fails(r, second) && !failed {
				first = second
			}
			failed = failed || fails(r, second)
		}
		i := out.Find(first)
		switch {
		case failed:
			fail(&out, i, first, asked, right, r)
		case right > 0 && i >= 0:
			known := &out.List[i]
			if known.Right += right; known.Right >= known.Needed() {
				out.List = slices.Delete(out.List, i, i+1)
			}
		}
	}
	return out
}

// fail notes that a test case failed; right are the right answers that it got beside.
func fail(f *probe.Failures, i int, seen probe.Result, asked Asked, right int, report probe.Report) {
	if i < 0 {
		f.List = append(f.List, probe.Failure{First: report.Started, Seed: asked.Seed, Turn: asked.Turn, Tools: asked.Tools})
		i = len(f.List) - 1
	}
	known := &f.List[i]
	known.Result, known.Last, known.Right = seen, report.Started, right
	known.Times++
	known.Confirmed = known.Confirmed || seen.Confirmed || known.Times > 1 && probe.IsAnswer(seen.Outcome)
	known.Kind = KindOf(report, seen)
	if seen.Outcome == probe.Accepted && known.Confirmed {
		known.Kind = probe.Open
	}
}

// fails reports whether a result speaks against the gate.
func fails(r probe.Report, result probe.Result) bool {
	kind := KindOf(r, result)
	return result.Case != probe.Valid && (kind == probe.Open || kind == probe.Broken)
}

// pending are the failures that this check did not see, and did not refute.
func pending(r probe.Report) []probe.Failure {
	return slices.DeleteFunc(r.Failures.All(), func(f probe.Failure) bool { return f.Last.Equal(r.Started) })
}

func btoi(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
