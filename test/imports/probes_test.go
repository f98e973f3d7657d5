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

const probeID = module + "/internal/gate/telemetry/probeid"

// Nothing that decides about a request may know whether it is the prober's. Of the gate's packages those know
// how to tell that keep its secret and put it together, and request, in which only what counts and logs an answered request
// asks.
func TestNobodyWhoDecidesKnowsTheProber(t *testing.T) {
	knowing := []string{module + "/internal/gate/source/secret", module + "/internal/gate/request", module + "/internal/gate"}
	for _, p := range list(t, "./internal/gate/...") {
		if knows := slices.Contains(p.Deps, probeID); knows != slices.Contains(knowing, p.ImportPath) {
			t.Errorf("%s reaches probeid: %v", p.ImportPath, knows)
		}
	}
	files, err := filepath.Glob("../../internal/gate/request/*.go")
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
			if spec.Path.Value == `"`+probeID+`"` && name != "handler.go" {
				t.Errorf("%s imports probeid", name)
			}
		}
		for word, where := range map[string][]string{
			"Recognize": {"report.go"},
			"Probes":    {"handler.go", "report.go"}, // handler.go declares it
			"isProbe":   {"report.go", "audit.go"},
			"probe":     {"report.go", "handler.go"}, // handler.go declares it
		} {
			if n := mentions(file, word); n > 0 && !slices.Contains(where, name) || name == "handler.go" && n > 1 {
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
