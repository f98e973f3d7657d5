// Command testsummary reads the output of `go test -json` and tells, per package, how many tests passed, failed and were
// skipped; the last line gives the sums. Output of tests is shown in full where they fail, and not otherwise.
//
//	go test -json ./... | testsummary [-v]
//	go tool test2json ginkgo run ... | testsummary [-v]
//
// It exits 1 if a test failed, if one was skipped (a test that does not run proves nothing) or if none ran. It must not
// know what it counts: only the stream's format and the two lines in which Ginkgo tells about its specs.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	verbose := flag.Bool("v", false, "show all output as it comes")
	flag.Parse()

	total, err := summarise(os.Stdin, os.Stdout, *verbose)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		os.Exit(1)
	}
	if !total.good() {
		os.Exit(1)
	}
}
