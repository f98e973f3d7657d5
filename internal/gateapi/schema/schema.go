// Package schema knows what gates of each release can read: the fields of their configuration, and the values of those
// that have a closed set of them. A gate reads strictly, so one field or value more closes the whole file to it.
package schema

import (
	"bufio"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// One file per version, v1.txt and so on: a line for each field with its path and type, and its values where only those
// are known. Once a version is released its file never changes.
//
//go:embed v*.txt
var files embed.FS

// Fields are those of a version, by their paths as Reads writes them. What is not known has none.
func Fields(version int) map[string]Field {
	text, err := files.ReadFile(fmt.Sprintf("v%d.txt", version))
	if err != nil {
		return nil
	}
	fields := map[string]Field{}
	lines := bufio.NewScanner(strings.NewReader(string(text)))
	for lines.Scan() {
		path, rest, _ := strings.Cut(lines.Text(), " ")
		words := strings.Fields(rest)
		fields[path] = Field{Type: words[0], Values: words[1:]}
	}
	return fields
}

// Field is one field of a configuration.
type Field struct {
	// Type is that of the Go type Config, or "object" or "list".
	Type string
	// Values are the only ones; none are any.
	Values []string
}

// String is the field's line in its file, behind the path.
func (f Field) String() string { return strings.Join(append([]string{f.Type}, f.Values...), " ") }

// Reads tells whether gates of a version can read a configuration: nil, or an error that names what they do not know,
// such as "providers[].keys.format: PKCS11".
func Reads(version int, config []byte) error {
	fields := Fields(version)
	if len(fields) == 0 {
		return fmt.Errorf("schema v%d is not known", version)
	}
	var object map[string]any
	if err := json.Unmarshal(config, &object); err != nil {
		return fmt.Errorf("gate configuration: %w", err)
	}
	return errors.Join(unknown(fields, "", object)...)
}

func unknown(fields map[string]Field, path string, value any) []error {
	var found []error
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			below := strings.TrimPrefix(path+"."+name, ".")
			if _, known := fields[below]; !known {
				found = append(found, errors.New(below))
				continue
			}
			found = append(found, unknown(fields, below, value[name])...)
		}
	case []any:
		for _, item := range value {
			found = append(found, unknown(fields, path+"[]", item)...)
		}
	case string:
		values := fields[path].Values
		if value != "" && len(values) > 0 && !slices.Contains(values, value) {
			found = append(found, fmt.Errorf("%s: %s", path, value))
		}
	}
	return found
}
