package gateconfig

import (
	"slices"
	"strings"
)

// specFields are the fields of the spec that become those of the gate's configuration. A longer name comes first.
var specFields = []struct{ gate, spec string }{
	{"providers", "spec.auth.providers"},
	{"authorization.", "spec.auth.authorization."},
	{"resourceMetadata.", "spec.auth.resourceMetadata."},
	{"limits", "spec.auth.limits"},
	{"upstream.claimHeaders", "spec.auth.forward.claimToHeaders"},
	{"upstream.extraPaths", "spec.gate.extraPaths"},
	{"upstream.", "spec."},
	{"allowedOrigins", "spec.gate.allowedOrigins"},
}

// inSpec gives the problems of a gate's configuration, one a line, as problems of the spec in one line.
func inSpec(problems string) string {
	lines := strings.Split(strings.TrimPrefix(problems, "gate configuration: "), "\n")
	for i, line := range lines {
		known := slices.IndexFunc(specFields, func(f struct{ gate, spec string }) bool { return strings.HasPrefix(line, f.gate) })
		if known >= 0 {
			lines[i] = specFields[known].spec + strings.TrimPrefix(line, specFields[known].gate)
		}
	}
	return strings.Join(lines, "; ")
}
