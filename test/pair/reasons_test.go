package pair_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// declaredReasons reads the constants of type Reason out of the gate's source: a list in Go could leave one out.
func declaredReasons(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../internal/gateapi/reason.go", nil, 0)
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
		return reason == string(gateapi.ReasonStreamTooOld) || reason == string(gateapi.ReasonDraining)
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

// TestProberKnowsWhatIsReserved: the prober says on its own what the gate keeps for it.
func TestProberKnowsWhatIsReserved(t *testing.T) {
	for said, want := range map[string]string{
		probe.Subject: gateapi.ProbeSubject, probe.OtherSubject: gateapi.OtherProbeSubject, probe.PodClaim: gateapi.ProbePodClaim,
	} {
		if said != want {
			t.Errorf("the prober says %q, the gate %q", said, want)
		}
	}
}

var reasonRow = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (?:\\d{3}|-) \\| \\S.* \\| \\S.* \\|$")

// TestPageHasEveryReason: docs/gate.md has one row for each reason, and no others.
func TestPageHasEveryReason(t *testing.T) {
	page, err := os.ReadFile("../../docs/gate.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, match := range reasonRow.FindAllStringSubmatch(string(page), -1) {
		rows = append(rows, match[1])
	}
	declared := declaredReasons(t)
	for _, reason := range declared {
		if !slices.Contains(rows, reason) {
			t.Errorf("there is no whole row for %s", reason)
		}
	}
	for i, reason := range rows {
		if !slices.Contains(declared, reason) || slices.Contains(rows[:i], reason) {
			t.Errorf("there is a row for %s, which is no reason of the gate, or is there twice", reason)
		}
	}
}
