// Command altered writes the overlay of an altered program into a folder and prints its file, for go build -overlay.
//
//	go build -overlay "$(go run ./test/altered/cmd/altered gate-with-switch out/altered)" ./cmd/authproxy
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/mcp-gatehouse/gatehouse/test/altered"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: altered NAME FOLDER, at the root of the module; NAME is one of",
			slices.Sorted(maps.Keys(altered.Programs())))
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "altered:", err)
		os.Exit(1)
	}
}

func run(name, folder string) error {
	program, found := altered.Programs()[name]
	if !found {
		return fmt.Errorf("there is no program %q", name)
	}
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	folder, err = filepath.Abs(filepath.Join(folder, name))
	if err != nil {
		return err
	}
	file, err := program.Overlay(root, folder)
	if err != nil {
		return err
	}
	_, err = fmt.Println(file)
	return err
}
