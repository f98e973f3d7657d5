// Command render prints what `helm install` would apply:
//
//	render CHART [VALUES.yaml]
package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/yaml"

	"github.com/mcp-gatehouse/gatehouse/test/chart"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "render:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return fmt.Errorf("usage: render CHART [VALUES.yaml]")
	}
	values := map[string]any{}
	if len(args) == 2 {
		content, err := os.ReadFile(args[1])
		if err != nil {
			return fmt.Errorf("read values: %w", err)
		}
		if err := yaml.Unmarshal(content, &values); err != nil {
			return fmt.Errorf("read values: %w", err)
		}
	}
	rendered, err := chart.Render(args[0], values)
	if err != nil {
		return err
	}
	for _, object := range rendered.Objects {
		text, err := yaml.Marshal(object.Object)
		if err != nil {
			return fmt.Errorf("encode %s %s: %w", object.GetKind(), object.GetName(), err)
		}
		fmt.Printf("---\n%s", text)
	}
	return nil
}
