package mutation

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// notOfTheLock are the fields that decide about nobody's request.
var notOfTheLock = []string{"gate.port", "gate.adminPort", "gate.resources", "gate.drainSeconds", "gate.logLevel"}

// notTried is what the table says in place of a case.
const notTried = "not tried"

// fieldRow is a row of the table of fields in docs/probe.md.
type fieldRow struct{ field, seen, by string }

// fieldRows reads the table: | field | case | mutant |, or | field | not tried: why | test of the gate |.
func fieldRows(t *testing.T) []fieldRow {
	t.Helper()
	text, err := os.ReadFile(root + "/docs/probe.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| Field | Case | Seen by |\n|---|---|---|\n")
	if !found {
		t.Fatal("docs/probe.md has no table of fields")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var rows []fieldRow
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 {
			t.Fatalf("not three cells: %s", line)
		}
		name := func(cell string) string { return strings.Trim(strings.TrimSpace(cell), "`") }
		rows = append(rows, fieldRow{name(cells[0]), name(cells[1]), name(cells[2])})
	}
	return rows
}

// Each field of spec.auth and spec.gate that the lock depends on has a row, and nothing else has.
func TestEveryFieldHasARow(t *testing.T) {
	var page []string
	for _, row := range fieldRows(t) {
		page = append(page, row.field)
	}
	fields := append(leaves(reflect.TypeFor[v1alpha1.Auth](), "auth"), leaves(reflect.TypeFor[v1alpha1.Gate](), "gate")...)
	for _, field := range fields {
		if slices.Contains(page, field) == slices.Contains(notOfTheLock, field) {
			t.Errorf("%s must either have a row in docs/probe.md or be none of the lock's", field)
		}
	}
	for _, field := range slices.Concat(page, notOfTheLock) {
		if !slices.Contains(fields, field) {
			t.Errorf("there is no field %s", field)
		}
	}
}

// A case is there, and a mutant that it names; for what is not tried, a reason and a test.
func TestRowsOfFieldsAreTrue(t *testing.T) {
	for _, row := range fieldRows(t) {
		if why, untried := strings.CutPrefix(row.seen, notTried); untried {
			if len(why) < 10 {
				t.Errorf("%s: why is it not tried?", row.field)
			}
			for name := range strings.SplitSeq(row.by, "`, `") {
				if err := hasTest(name); err != nil {
					t.Errorf("%s: %v", row.field, err)
				}
			}
			continue
		}
		i := slices.IndexFunc(allMutants(), func(m mutantGate) bool { return m.name == row.by })
		if i < 0 || allMutants()[i].named != probe.Case(row.seen) {
			t.Errorf("%s: there is no mutant %q that is named by %q", row.field, row.by, row.seen)
		}
	}
}

// hasTest looks for a test, package.TestName, among those of the gate.
func hasTest(name string) error {
	dir, test, _ := strings.Cut(name, ".")
	var files []string
	for _, above := range []string{"", "*", "*/*"} {
		found, err := filepath.Glob(filepath.Join(root, "internal", above, dir, "*_test.go"))
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		isIt := func(d ast.Decl) bool {
			function, is := d.(*ast.FuncDecl)
			return is && function.Name.Name == test
		}
		if slices.ContainsFunc(parsed.Decls, isIt) {
			return nil
		}
	}
	return fmt.Errorf("the gate has no test %s", name)
}

// leaves are the paths of the fields that hold values of their own.
func leaves(of reflect.Type, path string) []string {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || of.PkgPath() != reflect.TypeFor[v1alpha1.Auth]().PkgPath() {
		return []string{path}
	}
	var all []string
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		all = append(all, leaves(of.Field(i).Type, path+"."+name)...)
	}
	return all
}
