//go:build mutation

package mutation

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What hack/mutation.sh has prepared.
var (
	shippedProgram = flag.String("program", "", "the gate's program, as it is shipped")
	outDir         = flag.String("out", "", "folder for the mutants' program, for what the gates write, and for the table")
)

// mutantProgram is the gate with the mutants in it.
var mutantProgram string

func TestMain(m *testing.M) {
	flag.Parse()
	if *shippedProgram == "" || *outDir == "" {
		fmt.Fprintln(os.Stderr, "these tests need a program that hack/mutation.sh builds: run make mutation")
		os.Exit(2)
	}
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, "mutation:", err)
		os.Exit(1)
	}
	code := m.Run()
	if err := totals.write(filepath.Join(*outDir, "totals.txt")); err != nil {
		fmt.Fprintln(os.Stderr, "mutation:", err)
		code = 1
	}
	os.Exit(code)
}

// build builds the mutants' program.
func build() error {
	overlay, err := writeOverlay(filepath.Join(*outDir, "overlay"))
	if err != nil {
		return err
	}
	mutantProgram = filepath.Join(*outDir, "mutant")
	command := exec.Command("go", "build", "-overlay", overlay, "-o", mutantProgram, "./cmd/authproxy")
	command.Dir = root
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build the mutants: %w\n%s", err, output)
	}
	return nil
}
