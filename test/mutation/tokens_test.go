package mutation

import "github.com/mcp-gatehouse/gatehouse/internal/probe"

// signatures are gates that believe what nobody, or somebody else, has signed.
func signatures() []mutant {
	return []mutant{
		{
			name: "signature", loses: "does not check signatures", named: probe.WrongKey,
			edits: []edit{{"verify/candidate.go", "if !signed {", `if !signed && mutant != "signature" {`}},
		},
	}
}

// claims are gates that do not look at a claim.
func claims() []mutant {
	return []mutant{
		{
			name: "exp", loses: "takes expired tokens", named: probe.Expired,
			edits: []edit{{"verify/provider.go", "case !now.Before(l.end):", `case !now.Before(l.end) && mutant != "exp":`}},
		},
	}
}
