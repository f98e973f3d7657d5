package mutation

import "github.com/mcp-gatehouse/gatehouse/internal/probe"

// probes are gates that take more from the prober than a probe needs.
func probes() []mutantGate {
	misused := func(name, does, old, mutated string) mutantGate {
		return mutantGate{
			name: name, does: does, named: probe.ProbeKeyMisused, only: true,
			edits: []edit{{"authn/verify/probekey.go", old, mutated}},
		}
	}
	return []mutantGate{
		{
			name: "fence", does: "lets the prober do what a user may", kind: probe.Broken, named: probe.ReservedCall, only: true, outcome: probe.ForeignAnswer,
			edits: []edit{{"request/authorize.go", "if principal.Reserved() {", `if principal.Reserved() && mutant != "fence" {`}},
		},
		misused("probe-subject", "takes tokens of the probe key for anybody",
			"case !gateapi.IsProbeSubject(c.subject) ||", `case !gateapi.IsProbeSubject(c.subject) && mutant != "probe-subject" ||`),
		misused("probe-identity", "takes a probe for whoever its other claims name",
			"return c.textAt(claim) == c.subject", `return c.textAt(claim) == c.subject || mutant == "probe-identity"`),
		misused("probe-lifetime", "takes tokens of the probe key for as long as they say",
			"> gateapi.ProbeTokenLifetime:", `> gateapi.ProbeTokenLifetime && mutant != "probe-lifetime":`),
		misused("probe-pod", "takes tokens of the probe key for every pod",
			"c.text(gateapi.ProbePodClaim) != f.verifier.podUID:", `c.text(gateapi.ProbePodClaim) != f.verifier.podUID && mutant != "probe-pod":`),
	}
}
