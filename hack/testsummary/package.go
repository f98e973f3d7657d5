package main

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// pkg gathers what is known about the tests of one package.
type pkg struct {
	name    string
	action  string // pass, fail or skip once it has ended
	elapsed float64
	tests   map[string]*test
	// suite is one that runs in no test of this process, but in several processes.
	suite  suite
	output []outputLine
}

type outputLine struct{ test, text string }

// test is a test, a subtest or a fuzz target's seed; Ginkgo runs a whole suite inside one.
type test struct {
	action string // pass, fail or skip; empty while it runs
	parent bool
	suite  suite
}

// suite is what Ginkgo tells about its specs, before and after the run.
type suite struct {
	selected, total int
	counts          counts
	ended           bool
}

var (
	willRun = regexp.MustCompile(`^Will run (\d+) of (\d+) specs`)
	didRun  = regexp.MustCompile(`-- (\d+) Passed \| (\d+) Failed \| (\d+) Pending \| (\d+) Skipped`)
	// Ginkgo colours its words when it takes the output for a terminal.
	colour = regexp.MustCompile("\x1b\\[[0-9;]*m")
)

// record takes note of an event and says whether the package has ended.
func (p *pkg) record(e event) bool {
	if e.Test == "" {
		switch e.Action {
		case "pass", "fail", "skip":
			p.action, p.elapsed = e.Action, e.Elapsed
			return true
		}
	}
	if e.Action == "output" {
		p.output = append(p.output, outputLine{e.Test, e.Output})
	}
	if e.Test == "" {
		p.suite.read(e.Output)
		return false
	}

	t := p.test(e.Test)
	switch e.Action {
	case "pass", "fail", "skip":
		t.action = e.Action
	case "output":
		t.suite.read(e.Output)
	}
	return false
}

// test finds or makes a test and tells its ancestors that they are parents. A name may have slashes of its own, so not
// every prefix is a test.
func (p *pkg) test(name string) *test {
	t := p.tests[name]
	if t != nil {
		return t
	}
	t = &test{}
	p.tests[name] = t
	for i, c := range name {
		if ancestor := p.tests[name[:i]]; c == '/' && ancestor != nil {
			ancestor.parent = true
		}
	}
	return t
}

func (s *suite) read(line string) {
	line = colour.ReplaceAllString(line, "")
	if m := willRun.FindStringSubmatch(line); m != nil {
		s.selected, s.total = number(m[1]), number(m[2])
	}
	if m := didRun.FindStringSubmatch(line); m != nil {
		s.ended = true
		pending := number(m[3])
		s.counts = counts{passed: number(m[1]), failed: number(m[2])}
		s.counts.unselected = max(0, s.total-s.selected-pending)
		s.counts.skipped = pending + max(0, number(m[4])-s.counts.unselected)
	}
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits) // the pattern lets only digits through
	return n
}

// counts counts cases: a test with subtests is its subtests, a test that runs a Ginkgo suite is its specs. Their own
// failure counts where none of their parts failed.
func (p *pkg) counts() counts {
	sum := p.suite.counts
	for name, t := range p.tests {
		switch {
		case t.suite.ended:
			sum.add(t.suite.counts)
			if t.failed() && t.suite.counts.failed == 0 {
				sum.failed++
			}
		case t.action == "skip":
			sum.skipped++
		case t.failed() && !p.partFailed(name):
			sum.failed++
		case t.action == "pass" && !t.parent:
			sum.passed++
		}
	}
	if p.action == "fail" && sum.failed == 0 {
		sum.failed++ // it did not build, or ended outside a test
	}
	return sum
}

// failed includes a test that never ended: the process did.
func (t *test) failed() bool { return t.action == "fail" || t.action == "" }

func (p *pkg) partFailed(name string) bool {
	for other, t := range p.tests {
		if t.failed() && strings.HasPrefix(other, name+"/") {
			return true
		}
	}
	return false
}

// report writes the package's line, after the output of what went wrong in it, and returns its counts.
func (p *pkg) report(out io.Writer, build []string, verbose bool) counts {
	if p.action == "skip" && len(p.tests) == 0 {
		return counts{} // no test files
	}
	sum := p.counts()
	if !verbose {
		p.writeFailures(out)
	}
	fmt.Fprint(out, strings.Join(build, ""))

	word := "ok  "
	if sum.failed > 0 || sum.skipped > 0 {
		word = "FAIL"
	}
	fmt.Fprintf(out, "%s %s: %s%s (%.1f s)\n", word, p.name, sum, p.specs(), p.elapsed)
	return sum
}

// specs repeats how many of its specs each Ginkgo suite of the package ran.
func (p *pkg) specs() string {
	text := p.suite.String()
	for _, t := range p.tests {
		text += t.suite.String()
	}
	return text
}

func (s suite) String() string {
	if !s.ended {
		return ""
	}
	return fmt.Sprintf("; Ran %d of %d Specs", s.counts.passed+s.counts.failed, s.total)
}

func (p *pkg) writeFailures(out io.Writer) {
	for _, line := range p.output {
		t := p.tests[line.test]
		switch {
		case t == nil && p.action == "fail", t != nil && (t.failed() || t.action == "skip" || t.suite.counts.skipped > 0):
			fmt.Fprint(out, line.text)
		}
	}
}
