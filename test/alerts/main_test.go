//go:build alerts

package alerts

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// promtool is the program of that name, of which Debian's package prometheus has one.
var promtool string

// TestMain fails where there is no promtool: alerts that were not tried are not known to work.
func TestMain(m *testing.M) {
	var err error
	if promtool, err = exec.LookPath("promtool"); err != nil {
		fmt.Fprintln(os.Stderr, "test/alerts needs promtool, which Debian's package prometheus has (apt-get install prometheus):", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
