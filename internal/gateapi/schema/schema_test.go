package schema_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi/schema"
)

var update = flag.Bool("update", false, "write the file of the present schema anew")

// TestConfigIsItsSchema holds the type to the schema that it claims to be. What was added, taken away or renamed is another
// schema to the gates that run: raise gateapi.Schema, and let -update write the new one's file. See docs/upgrade.md.
// That of a release stays as it is.
func TestConfigIsItsSchema(t *testing.T) {
	values := closedSets(t, "..", "../../keys")
	fields := map[string]schema.Field{}
	describe(fields, values, "", reflect.TypeFor[gateapi.Config]())
	if *update {
		var text strings.Builder
		for _, path := range slices.Sorted(maps.Keys(fields)) {
			fmt.Fprintf(&text, "%s %s\n", path, fields[path])
		}
		if err := os.WriteFile(fmt.Sprintf("v%d.txt", gateapi.Schema), []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(lines(schema.Fields(gateapi.Schema)), lines(fields)); diff != "" {
		t.Errorf("Config is not schema v%d any more (-v%d +Config):\n%s", gateapi.Schema, gateapi.Schema, diff)
	}
}

func lines(fields map[string]schema.Field) map[string]string {
	out := map[string]string{}
	for path, field := range fields {
		out[path] = field.String()
	}
	return out
}

// describe lists the fields of a type, as encoding/json names them.
func describe(fields map[string]schema.Field, values map[string][]string, path string, of reflect.Type) {
	switch of.Kind() {
	case reflect.Pointer:
		describe(fields, values, path, of.Elem())
	case reflect.Struct:
		if path != "" {
			fields[path] = schema.Field{Type: "object"}
		}
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			describe(fields, values, strings.TrimPrefix(path+"."+name, "."), of.Field(i).Type)
		}
	case reflect.Slice:
		fields[path] = schema.Field{Type: "list"}
		describe(fields, values, path+"[]", of.Elem())
	default:
		fields[path] = schema.Field{Type: of.Kind().String(), Values: values[of.Name()]}
	}
}

// closedSets are the constants of each named type of strings in the packages.
func closedSets(t *testing.T, folders ...string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, folder := range folders {
		sources, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(sources) == 0 {
			t.Fatalf("no sources in %s: %v", folder, err)
		}
		for _, source := range sources {
			file, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if spec, ok := n.(*ast.ValueSpec); ok {
					kind, value := constant(spec)
					if kind != "" && !slices.Contains(found[kind], value) {
						found[kind] = append(found[kind], value)
					}
				}
				return true
			})
		}
	}
	for _, values := range found {
		slices.Sort(values)
	}
	return found
}

func constant(spec *ast.ValueSpec) (kind, value string) {
	name, ok := spec.Type.(*ast.Ident)
	if !ok || len(spec.Values) != 1 {
		return "", ""
	}
	literal, ok := spec.Values[0].(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", ""
	}
	value, err := strconv.Unquote(literal.Value)
	if err != nil {
		return "", ""
	}
	return name.Name, value
}

func TestFileIsNamedByItsSchema(t *testing.T) {
	if got := gateapi.ConfigFileOf(gateapi.Schema); got != gateapi.ConfigFile {
		t.Errorf("schema v%d is in %s, gates look for %s", gateapi.Schema, got, gateapi.ConfigFile)
	}
}

func TestReads(t *testing.T) {
	for config, want := range map[string]string{
		`{"port":1,"limits":{"bodyBytes":1},"providers":[{"name":"a","algorithms":["EdDSA"]}]}`: "",
		`{"authorization":{"rules":[]},"sessionBinding":"Caller","logLevel":"shout"}`:           "",
		`{"open":true,"limits":{"anything":{"deep":1}}}`:                                        "limits.anything\nopen",
		`{"providers":[{"name":"a"},{"keys":{"format":"PKCS11"}}]}`:                             "providers[].keys.format: PKCS11",
		`{"providers":[{"algorithms":["EdDSA","none"]}]}`:                                       "providers[].algorithms[]: none",
		`{"sessionBinding":"Nobody"}`:                                                           "sessionBinding: Nobody",
	} {
		got := ""
		if err := schema.Reads(1, []byte(config)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", config, got, want)
		}
	}
	if err := schema.Reads(9000, []byte(`{}`)); err == nil {
		t.Error("a schema of the future is known")
	}
	if err := schema.Reads(1, []byte(`[]`)); err == nil {
		t.Error("a list is a configuration")
	}
}
