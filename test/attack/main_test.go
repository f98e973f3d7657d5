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
const cases = 1431

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

// TestMain closes with the number of cases. It fails if that is not the one which is written down, and if the cases and
// docs/standards.md do not name the same lines; where only a part of the tests is run, it cannot know.
func TestMain(m *testing.M) {
	code := m.Run()
	fmt.Printf("attack: %d cases, %d refused, %d resets\n", totals.cases, totals.refused, totals.resets)
	if isWhole() {
		for _, problem := range totals.problems() {
			fmt.Println("attack: " + problem)
			code = 1
		}
	}
	os.Exit(code)
}

func isWhole() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if flag.Lookup(name).Value.String() != "" {
			return false
		}
	}
	return true
}

func (c *tally) problems() []string {
	var out []string
	rounds, err := strconv.Atoi(flag.Lookup("test.count").Value.String())
	if err != nil || c.cases != cases*rounds {
		out = append(out, fmt.Sprintf("there should be %d cases in each of %d rounds", cases, rounds))
	}
	for line := range c.lines {
		if !hasRow(line) {
			out = append(out, "docs/standards.md has no row "+line)
		}
	}
	for _, line := range attacked() {
		if !c.lines[line] {
			out = append(out, "no case is of line "+line+", as docs/standards.md says")
		}
	}
	return out
}
