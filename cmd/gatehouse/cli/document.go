package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// Formats of output. The table is the default.
const (
	FormatTable = "table"
	FormatJSON  = "json"
	FormatYAML  = "yaml"
	FormatJUnit = "junit"
)

// ValidateFormat returns an error for a format other than table, json and yaml.
func ValidateFormat(format string) error {
	if !slices.Contains([]string{FormatTable, FormatJSON, FormatYAML}, format) {
		return fmt.Errorf("--output %q: use table, json or yaml", format)
	}
	return nil
}

// AddOutputFlag gives a command the flag for its format of output.
func AddOutputFlag(command *cobra.Command, format *string) {
	command.Flags().StringVarP(format, "output", "o", FormatTable, "table, json or yaml")
	CompleteFlag(command, "output", FormatTable, FormatJSON, FormatYAML)
}

// WriteDocument writes a value for a program, as JSON or YAML.
func WriteDocument(out io.Writer, format string, value any) error {
	if format == FormatYAML {
		text, err := yaml.Marshal(value)
		if err != nil {
			return fmt.Errorf("write YAML: %w", err)
		}
		_, err = out.Write(text)
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
