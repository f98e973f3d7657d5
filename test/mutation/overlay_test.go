package mutation

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	// root is the module's folder.
	root = "../.."
	// added are files that the mutants have beside those of the gate, under the paths that they get.
	added = "testdata/overlay"
	// environment is the variable that names the mutant.
	environment = "GATEHOUSE_MUTANT"
)

// edit replaces a piece of the gate's source. File is below internal/authproxy; old stands in it exactly once.
type edit struct{ file, old, new string }

// before puts code in front of a piece that stays.
func before(file, piece, code string) edit { return edit{file: file, old: piece, new: code + piece} }

// mutate gives the source files that the mutants change, as they become, by path. An edit that several mutants share is
// made once.
func mutate(read func(path string) (string, error), mutants []mutant) (map[string]string, error) {
	sources, done := map[string]string{}, map[edit]bool{}
	for _, m := range mutants {
		for _, e := range m.edits {
			path := filepath.Join("internal/authproxy", e.file)
			source, known := sources[path]
			if !known {
				text, err := read(path)
				if err != nil {
					return nil, fmt.Errorf("mutant %s: %w", m.name, err)
				}
				source = text
			}
			if done[e] {
				continue
			}
			if count := strings.Count(source, e.old); count != 1 {
				return nil, fmt.Errorf("mutant %s: the text to replace is %d times in %s, not once: follow the gate's source "+
					"in this row of the table\n%s", m.name, count, path, e.old)
			}
			sources[path], done[e] = strings.Replace(source, e.old, e.new, 1), true
		}
	}
	return sources, nil
}

// readSource reads a file of the module.
func readSource(path string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, path))
	return string(text), err
}

// writeOverlay writes the changed sources into a folder, and gives the file for `go build -overlay`.
func writeOverlay(dir string, mutants []mutant) (file string, err error) {
	sources, err := mutate(readSource, mutants)
	if err != nil {
		return "", err
	}
	module, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for path, text := range sources {
		changed := filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(module, path)] = changed
	}
	err = fs.WalkDir(os.DirFS(added), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			replace[filepath.Join(module, path)], err = filepath.Abs(filepath.Join(added, path))
		}
		return err
	})
	if err != nil {
		return "", err
	}
	encoded, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file = filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, encoded, 0o600)
}
