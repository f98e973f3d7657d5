package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// stream makes the output of `go test -json` from lines of the form "action test" (test may be missing) for package p;
// any line that is neither becomes output of the test named last.
func stream(t *testing.T, script string) string {
	t.Helper()
	var out strings.Builder
	current := ""
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		action, name, _ := strings.Cut(line, " ")
		e := event{Action: "output", Package: "p", Test: current, Output: line + "\n"}
		switch action {
		case "":
			continue
		case "run", "pass", "fail", "skip":
			e = event{Action: action, Package: "p", Test: name}
			current = name
		case "build-fail":
			e = event{Action: "fail", Package: "p", FailedBuild: "p [p.test]"}
			broken, err := json.Marshal(event{Action: "build-output", ImportPath: "p [p.test]", Output: "p.go:1: broken\n"})
			if err != nil {
				t.Fatal(err)
			}
			out.Write(append(broken, '\n'))
		}
		encoded, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(encoded, '\n'))
	}
	return out.String()
}

func TestSummarise(t *testing.T) {
	for _, c := range []struct {
		name   string
		script string
		want   counts
		good   bool
		show   string // must be in what is written
		hide   string // must not
	}{
		{
			name:   "tests pass and stay quiet",
			script: "run A\n chatter\n pass A\n run B\n pass B\n pass",
			want:   counts{passed: 2}, good: true, show: "ok   p: 2 passed", hide: "chatter",
		},
		{
			name:   "a test with subtests is its subtests",
			script: "run A\n run A/x\n pass A/x\n run A/y\n pass A/y\n pass A\n pass",
			want:   counts{passed: 2}, good: true,
		},
		{
			name:   "a subtest with slashes in its own name",
			script: "run A\n run A/x/y\n pass A/x/y\n pass A\n pass",
			want:   counts{passed: 1}, good: true,
		},
		{
			name:   "a failed subtest counts once and is shown, its sibling is not",
			script: "run A\n run A/x\n fine\n pass A/x\n run A/y\n boom\n fail A/y\n fail A\n fail",
			want:   counts{passed: 1, failed: 1}, show: "boom", hide: "fine",
		},
		{
			name:   "a test that fails after its subtests passed",
			script: "run A\n run A/x\n pass A/x\n fail A\n fail",
			want:   counts{passed: 1, failed: 1},
		},
		{
			name:   "a skipped test is no success",
			script: "run A\n no tool\n skip A\n run B\n pass B\n pass",
			want:   counts{passed: 1, skipped: 1}, show: "no tool",
		},
		{
			name:   "a package that does not build",
			script: "build-fail",
			want:   counts{failed: 1}, show: "p.go:1: broken",
		},
		{
			name:   "a process that dies in a test",
			script: "run A\n pass A\n run B\n panic: nil map\n fail",
			want:   counts{passed: 1, failed: 1}, show: "nil map",
		},
		{
			name:   "a process that fails outside its tests",
			script: "run A\n pass A\n fail",
			want:   counts{passed: 1, failed: 1},
		},
		{
			name:   "the go command is stopped",
			script: "run A\n pass A\n run B",
			want:   counts{passed: 1, failed: 1},
		},
		{
			name:   "no tests at all",
			script: "skip",
			show:   "no test ran",
		},
		{
			name: "a suite of specs is its specs",
			script: "run S\n Will run \x1b[1m3\x1b[0m of \x1b[1m3\x1b[0m specs\n Ran 3 of 3 Specs in 0.1 seconds\n" +
				"SUCCESS! -- \x1b[1m3 Passed\x1b[0m | 0 Failed | 0 Pending | 0 Skipped\n pass S\n run B\n pass B\n pass",
			want: counts{passed: 4}, good: true, show: "Ran 3 of 3 Specs",
		},
		{
			name: "a suite in several processes of its own",
			script: "Will run \x1b[1m2\x1b[0m of 3 specs\n Running in parallel across 2 processes\n Ran 2 of 3 Specs in 0.1 seconds\n" +
				"SUCCESS! -- 2 Passed | 0 Failed | 0 Pending | 1 Skipped\n pass",
			want: counts{passed: 2, unselected: 1}, good: true, show: "Ran 2 of 3 Specs",
		},
		{
			name: "one of which fails",
			script: "Will run 2 of 2 specs\n boom\n Ran 2 of 2 Specs in 0.1 seconds\n" +
				"FAIL! -- 1 Passed | 1 Failed | 0 Pending | 0 Skipped\n fail",
			want: counts{passed: 1, failed: 1}, show: "boom",
		},
		{
			name: "specs that a label filter leaves out are not skipped, but told",
			script: "run S\n Will run 2 of 5 specs\n Ran 2 of 5 Specs in 0.1 seconds\n" +
				"SUCCESS! -- 2 Passed | 0 Failed | 0 Pending | 3 Skipped\n pass S\n pass",
			want: counts{passed: 2, unselected: 3}, good: true, show: "3 specs not selected",
		},
		{
			name: "a spec that skips itself and a pending one are skipped",
			script: "run S\n Will run 2 of 5 specs\n Ran 1 of 5 Specs in 0.1 seconds\n" +
				"SUCCESS! -- 1 Passed | 0 Failed | 1 Pending | 3 Skipped\n pass S\n pass",
			want: counts{passed: 1, skipped: 2, unselected: 2},
		},
		{
			name: "a suite whose set-up fails after its specs were counted",
			script: "run S\n Will run 1 of 1 specs\n Ran 1 of 1 Specs in 0.1 seconds\n" +
				"FAIL! -- 1 Passed | 0 Failed | 0 Pending | 0 Skipped\n fail S\n fail",
			want: counts{passed: 1, failed: 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			got, err := summarise(strings.NewReader(stream(t, c.script)), &out, false)
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want || got.good() != c.good {
				t.Errorf("got %+v (good: %t), want %+v (good: %t)", got, got.good(), c.want, c.good)
			}
			if !strings.Contains(out.String(), c.show) {
				t.Errorf("wrote %q, want %q in it", out.String(), c.show)
			}
			if c.hide != "" && strings.Contains(out.String(), c.hide) {
				t.Errorf("wrote %q, want no %q in it", out.String(), c.hide)
			}
			if !strings.HasSuffix(out.String(), "\n"+c.want.String()+"\n") {
				t.Errorf("wrote %q, want the sums alone on the last line", out.String())
			}
		})
	}
}

func TestSummarisePassesOnWhatIsNoEvent(t *testing.T) {
	var out strings.Builder
	if _, err := summarise(strings.NewReader("go: no such module\n"), &out, false); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "go: no such module\n") {
		t.Errorf("wrote %q, want the line passed on", out.String())
	}
}
