package ssa

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Change is a field that is not as wanted; nil is absent.
type Change struct {
	path      string
	want, got any
}

// maxChanges is how many a message lists.
const maxChanges = 5

// Describe says all changes, of an object of a kind, with both values. What is in Secrets is not shown, nor what is long.
func Describe(changes []Change, kind string) string {
	var all []string
	for _, c := range changes[:min(len(changes), maxChanges)] {
		if kind == "Secret" {
			all = append(all, c.path+" is changed")
			continue
		}
		all = append(all, fmt.Sprintf("%s is changed from %s to %s", c.path, shown(c.want), shown(c.got)))
	}
	if more := len(changes) - maxChanges; more > 0 {
		all = append(all, fmt.Sprintf("and %d more are changed", more))
	}
	return strings.Join(all, ", ")
}

func shown(value any) string {
	const longest = 100
	if value == nil {
		return "nothing"
	}
	if text := fmt.Sprint(value); len(text) <= longest {
		return text
	}
	return "a long value"
}

// ChangedFields are those outside of the metadata that are not as wanted, in the order of their names.
func ChangedFields(wanted, got *unstructured.Unstructured) []Change {
	var changes []Change
	for _, name := range slices.Sorted(maps.Keys(wanted.Object)) {
		if name != "metadata" {
			changes = append(changes, differences(wanted.Object[name], got.Object[name], name)...)
		}
	}
	return changes
}

// differences are the fields that are not as wanted. What is not wanted may have any value, and what is wanted to be empty may
// be absent.
func differences(wanted, got any, path string) []Change {
	switch want := wanted.(type) {
	case map[string]any:
		return differentFields(want, got, path)
	case []any:
		return differentItems(want, got, path)
	}
	absent := got == nil && (wanted == false || wanted == "" || wanted == int64(0))
	if absent || wanted == got {
		return nil
	}
	return []Change{{path, wanted, got}}
}

func differentFields(want map[string]any, got any, path string) []Change {
	have, ok := got.(map[string]any)
	if !ok && len(want) > 0 {
		return []Change{{path, want, got}}
	}
	var changes []Change
	for _, name := range slices.Sorted(maps.Keys(want)) {
		changes = append(changes, differences(want[name], have[name], path+"."+name)...)
	}
	return changes
}

func differentItems(want []any, got any, path string) []Change {
	have, _ := got.([]any)
	if len(have) != len(want) {
		return []Change{{path, want, got}}
	}
	var changes []Change
	for i := range want {
		changes = append(changes, differences(want[i], have[i], fmt.Sprintf("%s[%d]", path, i))...)
	}
	return changes
}
