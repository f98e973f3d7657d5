package altered_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/test/altered"
)

// TestPrograms: every alteration still finds its place in the sources.
func TestPrograms(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for name, program := range altered.Programs() {
		t.Run(name, func(t *testing.T) {
			if _, err := program.Overlay(root, t.TempDir()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOverlayRefuses: an edit that would alter nothing, or more than was meant, is told.
func TestOverlayRefuses(t *testing.T) {
	for name, text := range map[string]string{"absent": "no such text\x00", "twice": "\n"} {
		t.Run(name, func(t *testing.T) {
			edit := altered.Edit{File: "programs.go", Old: text, New: "x"}
			_, err := altered.Program{Edits: []altered.Edit{edit}}.Overlay(".", t.TempDir())
			if err == nil || !strings.Contains(err.Error(), "programs.go") {
				t.Errorf("error %v", err)
			}
		})
	}
}
