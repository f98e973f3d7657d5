package authhealth

import (
	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// Observation is what one round on one pod came to.
type Observation struct {
	Evidence
	// Tier is how much was asked, and Basis what it was asked of: a proof of everything is about one basis. Both are
	// empty where no case was asked.
	Tier  probe.Tier
	Basis string
	// Results of the cases, for metrics.
	Results []probe.Result
	// Asked is what the next round is to know of this one; nil where no case was asked.
	Asked *Memory
	// Replay is for the next round, as long as the same signer signs; nil where no case was asked.
	Replay *probe.Replay
	Signer string
	// Sessions are for the next round; nil where no case was asked.
	Sessions *probe.Sessions
	// Certificate is the digest of the one that the gate shows.
	Certificate string
	// Bare is what the gate saw the server do without it.
	Bare v1alpha1.BareServerResult
	// State is what the gate said of itself after the cases; nil where it did not.
	State *admin.State
	// Exposure is what was found beside the gate; nil where nobody looked.
	Exposure *Exposure
}

// Memory is what rounds on one gate know of earlier ones.
type Memory struct {
	Turn              probe.Turn
	Failures, Strange probe.Failures
}
