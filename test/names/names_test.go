package names

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// goPackage is the files of one package in one folder, under every build tag, with its tests.
type goPackage struct{ folder, name string }

func TestNoLocalShadows(t *testing.T) {
	files := token.NewFileSet()
	packages := map[goPackage][]*ast.File{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if isLeftOut(path, entry.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err == nil && !ast.IsGenerated(file) {
			key := goPackage{filepath.Dir(path), file.Name.Name}
			packages[key] = append(packages[key], file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 100 {
		t.Fatalf("read only %d packages below %s", len(packages), root)
	}
	for _, parsed := range packages {
		for _, found := range shadows(files, parsed) {
			t.Error(strings.TrimPrefix(found, root+"/"))
		}
	}
}

// isLeftOut reports whether a folder has no source of a package: tools and results, or what the go command ignores too.
func isLeftOut(path, name string) bool {
	built := filepath.Dir(path) == root && (name == "bin" || name == "out")
	return path != root && (built || name == "testdata" || name == "node_modules" || strings.HasPrefix(name, "."))
}

func TestShadows(t *testing.T) {
	const head = "package sample\nimport (\n\"net/url\"; \"example.com/sbom-go\"\n\"example.com/jwt/v5\"\n\"gopkg.in/yaml.v3\"\ncore \"k8s.io/api/core/v1\"\n)\n" +
		"type server struct{ url string }\nvar now, later int\nconst limit = 1\nfunc count() {}\nfunc (s server) method() {}\n"
	for _, c := range []struct{ name, source, want string }{
		{"a parameter", "func f(server int) {}", "server shadows the type server of line 8"},
		{"a result", "func f() (limit int) { return }", "limit shadows the constant limit of line 10"},
		{"a receiver", "func (server *server) f() {}", "server shadows the type server of line 8"},
		{"a definition", "func f() { a, count := 1, 2 }", "count shadows the function count of line 11"},
		{"a variable", "func f() { var later int }", "later shadows the variable later of line 9"},
		{"a constant", "func f() { const now = 1 }", "now shadows the variable now of line 9"},
		{"a type", "func f() { type limit int }", "limit shadows the constant limit of line 10"},
		{"a range", "func f() { for i, now := range []int{} {} }", "now shadows the variable now of line 9"},
		{"the head of an if", "func f() { if now := 1; now > 0 {} }", "now shadows the variable now of line 9"},
		{"a type switch", "func f(a any) { switch server := a.(type) {} }", "server shadows the type server of line 8"},
		{"a receive", "func f(c chan int) { select { case now := <-c: } }", "now shadows the variable now of line 9"},
		{"a function inside", "func f() { g := func(now int) {} }", "now shadows the variable now of line 9"},
		{"a function in a package's variable", "var g = func(now int) {}", "now shadows the variable now of line 9"},
		{"a parameter of a function's type", "type g func(now int)", "now shadows the variable now of line 9"},
		{"a parameter of an interface's method", "type g interface { f(now int) }", "now shadows the variable now of line 9"},
		{"an import", "func f(url string) {}", "url shadows the import of net/url"},
		{"an import of a later version", "func f(jwt string) {}", "jwt shadows the import of example.com/jwt/v5"},
		{"an import with a version in its name", "func f(yaml string) {}", "yaml shadows the import of gopkg.in/yaml.v3"},
		{"an import for Go among other languages", "func f(sbom string) {}", "sbom shadows the import of example.com/sbom-go"},
		{"an import with a name of its own", "func f(core string) {}", "core shadows the import of k8s.io/api/core/v1"},
		{"the path of an import with a name of its own", "func f(v1 string) {}", ""},
		{"a method", "func f(method int) {}", ""},
		{"a field", "type g struct { now, url int }", ""},
		{"a type parameter", "func f[T any](t T) {}", ""},
		{"an assignment", "func f() { now = 2 }", ""},
		{"nothing", "func f(_, other int) { _, err := other, 1 }", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, "sample.go", head+c.source, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			got := shadows(files, []*ast.File{file})
			switch {
			case c.want == "" && len(got) == 0:
			case len(got) != 1 || c.want == "" || !strings.HasPrefix(got[0], "sample.go:13: "+c.want):
				t.Errorf("got %q, want %q in line 13", got, c.want)
			}
		})
	}
}

// TestShadowsOfAnotherFile shows that the names of a package count in all its files, and imports only in their own.
func TestShadowsOfAnotherFile(t *testing.T) {
	files := token.NewFileSet()
	var parsed []*ast.File
	for name, source := range map[string]string{
		"a.go":      "package sample\nimport \"net/url\"\nvar now = url.Parse",
		"a_test.go": "package sample\nfunc f(url, now int) {}",
	} {
		file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
	}
	got := shadows(files, parsed)
	if len(got) != 1 || !strings.HasPrefix(got[0], "a_test.go:2: now shadows the variable now of a.go:3") {
		t.Errorf("got %q, want only now", got)
	}
}
