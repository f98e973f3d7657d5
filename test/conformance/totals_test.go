//go:build conformance

package conformance

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"text/tabwriter"
)

// totals are what the suites found, for a person to read.
var totals table

type table struct {
	mu sync.Mutex
	// rows counts, for each suite, how many rounds had these two totals.
	rows map[string]map[[2]string]int
}

func (t *table) add(suiteName, bare, gated string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows == nil {
		t.rows = map[string]map[[2]string]int{}
	}
	if t.rows[suiteName] == nil {
		t.rows[suiteName] = map[[2]string]int{}
	}
	t.rows[suiteName][[2]string{bare, gated}]++
}

func (t *table) write(file string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var text bytes.Buffer
	columns := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	fmt.Fprintln(columns, "suite and server\twithout the gate\tthrough it\trounds")
	for _, suiteName := range slices.Sorted(maps.Keys(t.rows)) {
		for row, results := range t.rows[suiteName] {
			fmt.Fprintf(columns, "%s\t%s\t%s\t%d\n", suiteName, row[0], row[1], results)
		}
	}
	if err := columns.Flush(); err != nil {
		return err
	}
	return os.WriteFile(file, text.Bytes(), 0o600)
}
