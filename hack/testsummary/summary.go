package main

import (
	"bufio"
	"encoding/json"
	"errors"
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

// reader turns events into the summary.
type reader struct {
	out      io.Writer
	verbose  bool
	packages map[string]*pkg     // those that have not ended, by import path
	builds   map[string][]string // output of builds
	total    counts
}

// summarise reads events from in and writes one line per package, the output of failures, and the sums.
func summarise(in io.Reader, out io.Writer, verbose bool) (counts, error) {
	r := reader{out: out, verbose: verbose, packages: map[string]*pkg{}, builds: map[string][]string{}}
	started := time.Now()
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		r.line(line)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r.total, fmt.Errorf("read the output of go test: %w", err)
		}
	}
	r.end(time.Since(started))
	return r.total, nil
}

func (r *reader) line(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		// The go command's own words, such as a pattern that matches nothing.
		fmt.Fprintf(r.out, "%s", line)
		return
	}
	switch {
	case e.Action == "build-output":
		r.builds[e.ImportPath] = append(r.builds[e.ImportPath], e.Output)
	case e.Action == "output" && r.verbose:
		fmt.Fprint(r.out, e.Output)
	}
	if done := r.record(e); done != nil {
		r.total.add(done.report(r.out, r.builds[e.FailedBuild], r.verbose))
	}
}

// end tells about packages without an end, for the go command itself was stopped, and the sums.
func (r *reader) end(took time.Duration) {
	for _, p := range r.packages {
		p.action = "fail"
		r.total.add(p.report(r.out, nil, r.verbose))
	}
	if r.total.unselected > 0 {
		fmt.Fprintf(r.out, "%d specs not selected by label or focus\n", r.total.unselected)
	}
	if r.total == (counts{}) {
		fmt.Fprintln(r.out, "no test ran")
	}
	fmt.Fprintf(r.out, "total, in %s:\n%s\n", took.Round(time.Second), r.total)
}

// record files an event under its package and returns the package if that was its last.
func (r *reader) record(e event) *pkg {
	if e.Package == "" {
		return nil
	}
	p := r.packages[e.Package]
	if p == nil {
		p = &pkg{name: e.Package, tests: map[string]*test{}}
		r.packages[e.Package] = p
	}
	if !p.record(e) {
		return nil
	}
	delete(r.packages, e.Package)
	return p
}
