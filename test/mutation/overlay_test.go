package mutation

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/mcp-gatehouse/gatehouse/test/altered"
)

const (
	// root is the module's folder.
	root = "../.."
	// added are files that the mutants have beside those of the gate, under the paths that they get.
	added = "testdata/overlay"
	// environment is the variable that names the mutant.
	environment = "GATEHOUSE_MUTANT"
)

// edit replaces a piece of the gate's source. File is below internal/gate; old stands in it exactly once.
type edit struct{ file, old, new string }

// insertBefore puts code in front of a piece that stays.
func insertBefore(file, piece, code string) edit {
	return edit{file: file, old: piece, new: code + piece}
}

// programOf is the gate with all mutants in it. An edit that several share is made once.
func programOf(mutants []mutantGate) (altered.Program, error) {
	out := altered.Program{Added: map[string]string{}}
	for _, m := range mutants {
		for _, e := range m.edits {
			sourceEdit := altered.Edit{File: filepath.Join("internal/gate", e.file), Old: e.old, New: e.new}
			if !slices.Contains(out.Edits, sourceEdit) {
				out.Edits = append(out.Edits, sourceEdit)
			}
		}
	}
	files := os.DirFS(added)
	return out, fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		out.Added[path] = string(text)
		return err
	})
}

// writeOverlay writes what `go build -overlay` needs into a folder, and gives the file to name.
func writeOverlay(dir string) (file string, err error) {
	module, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	all, err := programOf(slices.Concat(allMutants(), unseen(), []mutantGate{{edits: []edit{lets, stays, notes, slips}}}))
	if err != nil {
		return "", err
	}
	return all.Overlay(module, dir)
}
