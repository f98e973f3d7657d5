package exactjson

import (
	"strings"
)

// LeaveOut removes the field at a path, in every item of the lists on the way.
func LeaveOut(value any, path []string) {
	object, ok := value.(map[string]any)
	if !ok {
		return
	}
	if len(path) == 1 {
		delete(object, path[0])
		return
	}
	name, isList := strings.CutSuffix(path[0], "[]")
	if !isList {
		LeaveOut(object[name], path[1:])
		return
	}
	items, _ := object[name].([]any)
	for _, item := range items {
		LeaveOut(item, path[1:])
	}
}
