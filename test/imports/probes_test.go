package imports

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const probeID = module + "/internal/authproxy/probeid"

// Nothing that decides about a request may know whether it is the prober's. Of the gate's packages only gate knows how to
// tell, and in it only what counts and logs an answered request asks.
func TestNobodyWhoDecidesKnowsTheProber(t *testing.T) {
	const gate = module + "/internal/authproxy/gate"
	for _, p := range list(t, "./internal/authproxy/...") {
		if knows := slices.Contains(p.Deps, probeID); knows != (p.ImportPath == gate) {
			t.Errorf("%s reaches probeid: %v", p.ImportPath, knows)
		}
	}
	files, err := filepath.Glob("../../internal/authproxy/gate/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range files {
		name := filepath.Base(path)
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			if spec.Path.Value == `"`+probeID+`"` && name != "probes.go" {
				t.Errorf("%s imports probeid", name)
			}
		}
		for word, where := range map[string][]string{
			"recognise": {"probes.go", "conclude.go"},
			"isProbe":   {"conclude.go", "record.go"},
			"probe":     {"conclude.go", "visit.go"}, // visit.go declares it
		} {
			if n := mentions(file, word); n > 0 && !slices.Contains(where, name) || word == "probe" && name == "visit.go" && n != 1 {
				t.Errorf("%s mentions %s, which is for afterwards", name, word)
			}
		}
	}
}

func mentions(file *ast.File, word string) (n int) {
	ast.Inspect(file, func(node ast.Node) bool {
		if name, isName := node.(*ast.Ident); isName && name.Name == word {
			n++
		}
		return true
	})
	return n
}
