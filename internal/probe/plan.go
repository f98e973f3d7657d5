package probe

import "fmt"

// Planned is one question of a round, before it is asked.
type Planned struct {
	Case      Case   `json:"case"`
	Provider  string `json:"provider,omitempty"`
	Method    string `json:"method,omitempty"`
	Variation string `json:"variation,omitempty"`
	Expected  string `json:"expected"`
	// Lacks says why it will be skipped; "" if it will be asked.
	Lacks string `json:"lacks,omitempty"`
}

// Plan lists what a round puts to the target, in order. Nothing is sent. The rows of the catalogue of forms are those of the target's Turn;
// whether the server opens sessions, and whether tokens of an earlier round have expired, shows only in the round.
func Plan(target Target) ([]Planned, error) {
	r, err := New(Options{}).round(target)
	if err != nil {
		return nil, err
	}
	if err := r.hire(); err != nil {
		return nil, fmt.Errorf("probe target: %w", err)
	}
	questions := r.planned()
	controls := make([]Planned, 0, len(r.issuers))
	for _, from := range r.issuers {
		control := r.controlOf(from)
		controls = append(controls, Planned{Case: Valid, Provider: from.Name, Method: control.Method, Expected: control.Expected})
	}
	var all []Planned
	if r.target.Tier != Beat {
		all = append(all, controls...)
	}
	for _, q := range questions {
		all = append(all, Planned{
			Case: q.name, Provider: q.providerName(), Method: q.method, Variation: q.variation, Expected: q.expected, Lacks: q.lacks,
		})
	}
	return append(all, controls...), nil
}
