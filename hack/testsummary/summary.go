package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// event is a line of `go test -json` (see `go doc test2json`).
type event struct {
	Action  string
	Package string
	// ImportPath stands in place of Package in the output of a build.
	ImportPath string
	Test       string
	Elapsed    float64
	Output     string
	// FailedBuild names the ImportPath whose build kept a package from being tested.
	FailedBuild string
}

// counts are results of tests.
type counts struct {
	passed, failed, skipped int
	// unselected are specs left out by label or focus: neither run nor skipped.
	unselected int
}

func (c *counts) add(o counts) {
	c.passed += o.passed
	c.failed += o.failed
	c.skipped += o.skipped
	c.unselected += o.unselected
}

// good says whether something ran and all of it passed.
func (c counts) good() bool { return c.failed == 0 && c.skipped == 0 && c.passed > 0 }

func (c counts) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", c.passed, c.failed, c.skipped)
}

// summarise reads events from in and writes one line per package, the output of failures, and the sums.
func summarise(in io.Reader, out io.Writer, verbose bool) (counts, error) {
	var total counts
	packages := map[string]*pkg{}
	builds := map[string][]string{}
	started := time.Now()

	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				// The go command's own words, such as a pattern that matches nothing.
				_, _ = out.Write(line)
				continue
			}
			if e.Action == "build-output" {
				builds[e.ImportPath] = append(builds[e.ImportPath], e.Output)
				continue
			}
			if verbose && e.Action == "output" {
				_, _ = io.WriteString(out, e.Output)
			}
			if done := record(packages, e); done != nil {
				total.add(done.report(out, builds[e.FailedBuild], verbose))
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return total, fmt.Errorf("read the output of go test: %w", err)
		}
	}

	// A package without an end: the go command itself was stopped.
	for _, p := range packages {
		p.action = "fail"
		total.add(p.report(out, nil, verbose))
	}
	if total.unselected > 0 {
		_, _ = fmt.Fprintf(out, "%d specs not selected by label or focus\n", total.unselected)
	}
	if total == (counts{}) {
		_, _ = fmt.Fprintln(out, "no test ran")
	}
	_, _ = fmt.Fprintf(out, "total, in %s:\n%s\n", time.Since(started).Round(time.Second), total)
	return total, nil
}

// record files an event under its package and returns the package if that was its last.
func record(packages map[string]*pkg, e event) *pkg {
	if e.Package == "" {
		return nil
	}
	p := packages[e.Package]
	if p == nil {
		p = &pkg{name: e.Package, tests: map[string]*test{}}
		packages[e.Package] = p
	}
	if !p.record(e) {
		return nil
	}
	delete(packages, e.Package)
	return p
}
