// Command dashboards writes the Grafana dashboards of config/grafana. `make generate` runs it.
//
// It knows the metrics by name alone. test/dashboards holds each query against what the operator and the gate export.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: dashboards FOLDER")
		os.Exit(2)
	}
	for name, builder := range map[string]*dashboard.DashboardBuilder{"fleet": fleet(), "server": server()} {
		if err := write(filepath.Join(os.Args[1], name+".json"), builder); err != nil {
			fmt.Fprintf(os.Stderr, "dashboard %s: %v\n", name, err)
			os.Exit(1)
		}
	}
}

func write(path string, builder *dashboard.DashboardBuilder) error {
	built, err := builder.Build()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	// Queries read as they were written.
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(built); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644) //nolint:gosec // A manifest, for everybody to read.
}
