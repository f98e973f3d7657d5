//go:build scale

package scale

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What hack/scale.sh has prepared.
var (
	program     = flag.String("program", "", "the operator's program")
	logDir      = flag.String("logs", "", "folder for what the operator writes, and for the tables")
	sizes       = flag.String("servers", "1000,5000", "how many MCPServers each fleet has")
	steady      = flag.Duration("steady", 10*time.Minute, "how long a fleet is watched once it is Ready")
	readyLimit  = flag.Duration("limit", 0, "how long a fleet may take to be Ready; 0 is a minute, and a second for each server")
	every       = flag.Duration("interval", 0, "how often each lock is tried; 0 is the operator's default")
	memoryLimit = flag.String("memory", "", "the operator's GOMEMLIMIT, such as 512MiB; empty is none")
	qps         = flag.Int("probe-qps", 0, "the operator's --probe-qps; 0 is its default")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if *program == "" || *logDir == "" {
		fmt.Fprintln(os.Stderr, "these tests need a program that hack/scale.sh builds: run make scale")
		os.Exit(2)
	}
	os.Exit(m.Run())
}

// fleets are the sizes of --servers.
func fleets(t *testing.T) (out []int) {
	t.Helper()
	for text := range strings.SplitSeq(*sizes, ",") {
		size, err := strconv.Atoi(text)
		must(t, err)
		out = append(out, size)
	}
	return out
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// logFile opens a log of this run.
func logFile(t *testing.T, name string) *os.File {
	t.Helper()
	file, err := os.Create(filepath.Join(*logDir, name))
	must(t, err)
	t.Cleanup(func() { _ = file.Close() })
	return file
}
