package altered

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Edit replaces text that occurs exactly once in a file of the module.
type Edit struct {
	// File is relative to the module's root.
	File     string
	Old, New string
}

// Program is a program of this module with something altered.
type Program struct {
	Edits []Edit
	// Added are files that the module does not have: their text by their path in it.
	Added map[string]string
}

// Overlay writes the altered files and overlay.json, for go build, into dir. root is the module's root. An edit whose
// text is not there any more, or not only once, is an error that names it.
func (p Program) Overlay(root, dir string) (file string, err error) {
	altered := map[string]string{}
	for path, text := range p.Added {
		altered[path] = text
	}
	for _, edit := range p.Edits {
		text, seen := altered[edit.File]
		if !seen {
			data, err := os.ReadFile(filepath.Join(root, edit.File))
			if err != nil {
				return "", err
			}
			text = string(data)
		}
		if n := strings.Count(text, edit.Old); n != 1 {
			return "", fmt.Errorf("%s has %d times, not once, what is to be altered: %q", edit.File, n, edit.Old)
		}
		altered[edit.File] = strings.Replace(text, edit.Old, edit.New, 1)
	}
	return write(altered, root, dir)
}

func write(altered map[string]string, root, dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	replace := map[string]string{}
	for path, text := range altered {
		// Not ".go": the folder may be in the module, and is no package of it.
		at := filepath.Join(dir, strconv.Itoa(len(replace))+"_"+filepath.Base(path)+".txt")
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, path)] = at
	}
	data, err := json.MarshalIndent(map[string]any{"Replace": replace}, "", "  ")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, append(data, '\n'), 0o600)
}
