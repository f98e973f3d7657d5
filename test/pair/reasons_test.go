package pair_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// declaredReasons reads the constants of type Reason out of the gate's source: a list in Go could leave one out.
func declaredReasons(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../internal/authproxy/deny/reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if name, typed := spec.Type.(*ast.Ident); !ok || !typed || name.Name != "Reason" {
			t.Fatalf("%s is no Reason with a literal: has the file another form now?", spec.Names[0].Name)
		}
		reason, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		reasons = append(reasons, reason)
		return false
	})
	if len(reasons) < 40 {
		t.Fatalf("read %d reasons: has the file another form now?", len(reasons))
	}
	return reasons
}

// TestProberKnowsEveryReason: what the gate may answer and the prober does not know, it calls "other".
func TestProberKnowsEveryReason(t *testing.T) {
	answered := slices.DeleteFunc(declaredReasons(t), func(reason string) bool {
		// These end a stream, whose answer began long before.
		return reason == string(deny.StreamTooOld) || reason == string(deny.Draining)
	})
	for _, reason := range answered {
		if !slices.Contains(probe.Reasons(), reason) {
			t.Errorf("the prober does not know the gate's reason %s", reason)
		}
	}
	for _, reason := range probe.Reasons() {
		if !slices.Contains(answered, reason) {
			t.Errorf("the prober knows a reason %s that no gate answers", reason)
		}
	}
}
