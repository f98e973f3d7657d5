package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// Forms of output. The table is the default.
const (
	formTable = "table"
	formJSON  = "json"
	formYAML  = "yaml"
	formJUnit = "junit"
)

func validateForm(form string) error {
	if !slices.Contains([]string{formTable, formJSON, formYAML}, form) {
		return fmt.Errorf("--output %q: use table, json or yaml", form)
	}
	return nil
}

// addForm gives a command the flag for its form of output.
func addForm(command *cobra.Command, form *string) {
	command.Flags().StringVarP(form, "output", "o", formTable, "table, json or yaml")
	completesFlag(command, "output", formTable, formJSON, formYAML)
}

// writeDocument writes a value for a program, as JSON or YAML.
func writeDocument(out io.Writer, form string, value any) error {
	if form == formYAML {
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
