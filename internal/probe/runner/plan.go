package runner

import (
	"fmt"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// Planned is one test case of a check, before it is asked.
type Planned struct {
	Case      probe.Case `json:"case"`
	Provider  string     `json:"provider,omitempty"`
	Method    string     `json:"method,omitempty"`
	Variation string     `json:"variation,omitempty"`
	Expected  string     `json:"expected"`
	// Lacks says why it will be skipped; "" if it will be asked.
	Lacks string `json:"lacks,omitempty"`
}

// Plan lists what a check puts to the target, in order. Nothing is sent. The rows of the catalogue of forms are those of the
// target's Turn; whether the server opens sessions, and whether tokens of an earlier check have expired, shows only in the
// check.
func Plan(target probe.Target) ([]Planned, error) {
	r, err := New(Options{}).begin(target)
	if err != nil {
		return nil, err
	}
	if err := r.SelectIssuers(); err != nil {
		return nil, fmt.Errorf("probe target: %w", err)
	}
	questions, _ := planned(r.Planner)
	controls := make([]Planned, 0, len(r.Issuers))
	for _, from := range r.Issuers {
		control := r.positiveControl(from)
		controls = append(controls, Planned{Case: probe.Valid, Provider: from.Name, Method: control.Method, Expected: control.Expected})
	}
	var all []Planned
	if r.Target.Tier != probe.Quick {
		all = append(all, controls...)
	}
	for _, q := range questions {
		all = append(all, Planned{
			Case: q.Case, Provider: q.ProviderName(), Method: q.Method, Variation: q.Variation, Expected: q.Expected, Lacks: q.Lacks,
		})
	}
	return append(all, controls...), nil
}
