//go:build soak

package soak

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// What hack/soak.sh has prepared.
var (
	program       = flag.String("program", "", "the gate's program")
	serverProgram = flag.String("server", "", "the program of a server to put behind the gate")
	logDir        = flag.String("logs", "", "folder for what the gates write, and for the tables")
	duration      = flag.Duration("duration", 0, "how long each kind of load lasts; 0 is what it says by itself")
	connections   = flag.Int("idle", 10_000, "how many connections are left idle")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if *program == "" || *serverProgram == "" || *logDir == "" {
		fmt.Fprintln(os.Stderr, "these tests need a program that hack/soak.sh builds: run make soak")
		os.Exit(2)
	}
	os.Exit(m.Run())
}

// lasting is how long a load lasts.
func lasting(usual time.Duration) time.Duration {
	if *duration > 0 {
		return *duration
	}
	return usual
}

// logFile names a log of this test.
func logFile(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(*logDir, strings.NewReplacer("/", "-", ",", "").Replace(t.Name())+"-"+name+".log")
}

// table is what was measured, for a person to read.
type table struct {
	title string
	rows  [][]any // the first one is the heading
}

// write adds the table to those that hack/soak.sh shows.
func (tb *table) write(t *testing.T) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(*logDir, "tables.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fmt.Fprintln(file, tb.title)
	columns := tabwriter.NewWriter(file, 0, 0, 3, ' ', 0)
	for _, row := range tb.rows {
		for _, cell := range row {
			switch value := cell.(type) {
			case float64:
				cell = fmt.Sprintf("%.1f", value)
			case time.Duration:
				cell = fmt.Sprintf("%.1f ms", float64(value.Microseconds())/1000)
			}
			fmt.Fprintf(columns, "%v\t", cell)
		}
		fmt.Fprintln(columns)
	}
	_ = columns.Flush()
	fmt.Fprintln(file)
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }
