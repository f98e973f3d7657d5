package attack

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
)

// cases is how many there are in all. It is written down, so that none gets lost without notice.
const cases = 860

// totals are of this process.
var totals tally

type tally struct {
	mu                     sync.Mutex
	cases, refused, resets int
	lines                  map[string]bool
}

func (c *tally) count(a attack, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cases++
	if a.refused() {
		c.refused++
	}
	if isReset(err) {
		c.resets++
	}
	if c.lines == nil {
		c.lines = map[string]bool{}
	}
	c.lines[a.line] = true
}

// TestMain closes with the number of cases, and fails if it is not the one that is written down, or if a case names a line
// that docs/standards.md has not. Of a part of the tests it does not say so.
func TestMain(m *testing.M) {
	code := m.Run()
	whole := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" &&
		flag.Lookup("test.list").Value.String() == ""
	rounds, err := strconv.Atoi(flag.Lookup("test.count").Value.String())
	fmt.Printf("attack: %d cases, %d refused, %d resets\n", totals.cases, totals.refused, totals.resets)
	if whole && (err != nil || totals.cases != cases*rounds) {
		fmt.Printf("attack: there should be %d cases in each of %d rounds\n", cases, rounds)
		code = 1
	}
	for line := range totals.lines {
		if !hasRow(line) {
			fmt.Printf("attack: docs/standards.md has no row %s\n", line)
			code = 1
		}
	}
	os.Exit(code)
}
