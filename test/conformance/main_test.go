//go:build conformance

package conformance

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// What hack/conformance.sh has prepared.
var (
	binDir  = flag.String("bin", "", "folder with authproxy, everything-server and sdkclient")
	nodeDir = flag.String("node", "", "folder with the installed packages of node/package.json")
	logDir  = flag.String("logs", "", "folder for what the programs write")
	rounds  = flag.Int("rounds", 5, "how often each suite runs, without and with the gate")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if *binDir == "" || *nodeDir == "" || *logDir == "" {
		fmt.Fprintln(os.Stderr, "these tests need programs that hack/conformance.sh prepares: run make conformance")
		os.Exit(2)
	}
	code := m.Run()
	if err := totals.write(filepath.Join(*logDir, "totals.txt")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func bin(name string) string { return filepath.Join(*binDir, name) }

// inNode is a file of the installed packages, or one of node/ in this folder.
func inNode(path ...string) string { return filepath.Join(append([]string{*nodeDir}, path...)...) }

// node is the program: its package is named after the platform.
func node(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob(inNode("node_modules", "node-linux-*", "bin", "node"))
	if err != nil || len(found) != 1 {
		t.Fatalf("one node is needed in %s: found %q, %v", *nodeDir, found, err)
	}
	return found[0]
}
