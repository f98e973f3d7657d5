package mutation

import "github.com/mcp-gatehouse/gatehouse/internal/probe"

// lets is where gates that are open somewhere let in whom they have refused; what is open is in
// testdata/overlay/internal/authproxy/gate.
var lets = []edit{{
	"gate/visit.go", "if denial := v.admit(); denial != nil {", "if denial := v.admit(); denial != nil && !v.lets(denial) {",
}}

func rights() []mutant { return nil }

// doors are gates that are open to some requests, whatever their token.
func doors() []mutant {
	return []mutant{
		{name: "open", loses: "is open", named: probe.NoToken, edits: lets},
		{name: "no-token", loses: "lets in who has no token", named: probe.NoToken, edits: lets},
		{name: "malformed", loses: "lets in what is no token", named: probe.Malformed, edits: lets},
	}
}

func requests() []mutant { return nil }

func answers() []mutant { return nil }
