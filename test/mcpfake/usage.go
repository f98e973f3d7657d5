package mcpfake

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// Usage is the table of faults and of triggers, for --help.
func Usage() string {
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "FAULT\tSEEN\tWHEN\tEFFECT")
	for _, f := range faults() {
		_, _ = fmt.Fprintf(table, "%s\t%d\t%s\t%s\n", withArgument(f.name, f.argument), f.seen, f.when, f.effect)
	}
	_, _ = fmt.Fprint(table, "\nWrite FAULT@TRIGGER, or FAULT@TRIGGER@TRIGGER when several must hold.\n\n")
	_, _ = fmt.Fprintln(table, "TRIGGER\t\t\tMEANS")
	for _, t := range triggers() {
		_, _ = fmt.Fprintf(table, "%s\t\t\t%s\n", withArgument(t.name, t.argument), t.effect)
	}
	_ = table.Flush()
	return out.String()
}

// Faults lists the names of all faults, in the order of Usage.
func Faults() []string {
	var names []string
	for _, f := range faults() {
		names = append(names, f.name)
	}
	return names
}
