package conditions

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Declared is the content of conditions.go.
type Declared struct {
	// Reasons with their doc comments.
	Reasons map[string]string
	// Types of conditions, in order.
	Types []string
	// listed are the reasons of a type and a status, as its doc comment has them.
	listed map[string]map[metav1.ConditionStatus]string
}

// list matches "True: A, B" in a doc comment, up to the next status.
var (
	list    = regexp.MustCompile(`(?s)(True|False|Unknown): (.*?)(?:\n(?:False|Unknown): |\n\n|$)`)
	borrows = regexp.MustCompile(`any reason for (True|False|Unknown) of (.*)$`)
	andOr   = regexp.MustCompile(`,? and |, `)
)

// Read reads the file.
func Read(path string) (Declared, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		return Declared{}, fmt.Errorf("read the conditions: %w", err)
	}
	out := Declared{Reasons: map[string]string{}, listed: map[string]map[metav1.ConditionStatus]string{}}
	for _, declaration := range file.Decls {
		constants, ok := declaration.(*ast.GenDecl)
		if !ok || constants.Tok != token.CONST {
			continue
		}
		for _, spec := range constants.Specs {
			if value, ok := spec.(*ast.ValueSpec); ok {
				if err := out.add(value); err != nil {
					return out, err
				}
			}
		}
	}
	return out, nil
}

func (d *Declared) add(spec *ast.ValueSpec) error {
	name := spec.Names[0].Name
	literal, ok := spec.Values[0].(*ast.BasicLit)
	if !ok {
		return fmt.Errorf("%s is no literal", name)
	}
	value, err := strconv.Unquote(literal.Value)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	switch comment := spec.Doc.Text(); {
	case strings.HasPrefix(name, "Reason"):
		if name != "Reason"+value {
			return fmt.Errorf("%s is called %q", name, value)
		}
		d.Reasons[value] = comment
	case name == "Condition"+value:
		d.Types = append(d.Types, value)
		d.listed[value] = statuses(comment)
	}
	return nil
}

// statuses takes the lists of reasons out of the comment of a condition type.
func statuses(comment string) map[metav1.ConditionStatus]string {
	out := map[metav1.ConditionStatus]string{}
	for rest := comment; ; {
		at := list.FindStringSubmatchIndex(rest)
		if at == nil {
			return out
		}
		out[metav1.ConditionStatus(rest[at[2]:at[3]])] = strings.Join(strings.Fields(rest[at[4]:at[5]]), " ")
		rest = rest[at[5]:]
	}
}

// Of gives the reasons that a condition type can have with a status.
func (d Declared) Of(kind string, status metav1.ConditionStatus) []string {
	text := d.listed[kind][status]
	var reasons []string
	if borrowed := borrows.FindStringSubmatch(text); borrowed != nil {
		text = strings.TrimSuffix(strings.TrimSuffix(text, borrowed[0]), ", ")
		for _, other := range andOr.Split(borrowed[2], -1) {
			reasons = append(reasons, d.Of(other, metav1.ConditionStatus(borrowed[1]))...)
		}
	}
	if text != "" {
		reasons = append(reasons, strings.Split(text, ", ")...)
	}
	slices.Sort(reasons)
	return slices.Compact(reasons)
}

// Own gives the reasons that a condition type lists itself, of all statuses; not those it takes from other types.
func (d Declared) Own(kind string) []string {
	var reasons []string
	for _, text := range d.listed[kind] {
		for _, reason := range strings.Split(borrows.ReplaceAllString(text, ""), ", ") {
			if reason != "" {
				reasons = append(reasons, reason)
			}
		}
	}
	slices.Sort(reasons)
	return slices.Compact(reasons)
}
