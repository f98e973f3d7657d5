package gatestate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/mask"
)

// Behind says which part of a gate is not as it must be, and both states of it; an empty part if all is. wanted is the
// digest of its configuration, "" if that is not known. What is tolerated is not among it.
func Behind(state admin.State, wanted string, must Expected) (part, wants, seen string) {
	if state.SelfTest != "passed" {
		return "self-test", "passed", mask.Trusted(state.SelfTest)
	}
	if wanted != "" && state.ConfigSHA256 != wanted {
		seen := "another one"
		if state.LastReloadError != "" {
			seen += " (" + mask.Trusted(state.LastReloadError) + ")"
		}
		return "configuration", "the one in the ConfigMap", seen
	}
	if must.ProbeKey != "" && state.ProbeKey != must.ProbeKey {
		return "probe key", must.ProbeKey, cmp.Or(state.ProbeKey, "none")
	}
	for _, provider := range mustServe(state, must) {
		loaded := state.Keys[provider]
		if len(loaded) == 0 {
			return "key set of provider " + provider, "loaded", "empty" + fetched(state.Remote[provider])
		}
		if remote := state.Remote[provider]; isStale(remote, state.Time) {
			return "key set of provider " + provider, "fetched not long ago", "stale" + fetched(remote)
		}
		for _, kid := range must.Kids[provider] {
			if !slices.Contains(loaded, kid) {
				return "key set of provider " + provider, "one with the key " + kid, "one with " + strings.Join(loaded, ", ")
			}
		}
	}
	return "", "", ""
}

// NotConverged is the evidence that a gate does not run what it must, nil if it does; wanted is as for behind. It is no failure
// of the lock: a changed configuration takes its time to reach a pod.
func NotConverged(state admin.State, wanted string, must Expected, at time.Time) *authhealth.Evidence {
	what, wants, seen := Behind(state, wanted, must)
	if what == "" {
		return nil
	}
	return &authhealth.Evidence{
		At: at, Grade: authhealth.Unknown, Reason: v1alpha1.ReasonGateNotConverged, Question: what, Expected: wants, Seen: seen,
		Message: fmt.Sprintf("The gate does not run what the spec asks for: its %s is %s, and must be %s. "+
			"If it stays so, look at the log of container %s.", what, seen, wants, desired.GateContainer),
	}
}

// SelfTested is the evidence that a gate gives against itself; nil if it gives none. It asks itself over its own port with bad
// tokens, of which each must be refused for its reason: a success is an open lock.
func SelfTested(state admin.State, at time.Time) *authhealth.Evidence {
	if !strings.Contains(state.SelfTest, "got status ") {
		return nil
	}
	seen := mask.Trusted(state.SelfTest)
	out := &authhealth.Evidence{
		At: at, Grade: authhealth.Failed, Reason: v1alpha1.ReasonWrongAnswer, Confirmed: true, Question: "self-test",
		Expected: "401 for each bad token", Seen: seen,
	}
	what := "was not refused as it must be"
	if strings.Contains(state.SelfTest, "got status 2") {
		what, out.Grade, out.Reason = "was let in", authhealth.Open, v1alpha1.ReasonInvalidTokenAccepted
	}
	out.Message = fmt.Sprintf("The gate has tried itself, and a bad token %s: %s. Look at the log of container %s, and delete the pod; "+
		"if the next one is no better, look at the gate's image.", what, seen, desired.GateContainer)
	return out
}

// configKey is where in the ConfigMap the configuration of a pod is whose gate reads a schema.
func configKey(pod corev1.Pod, schema string) string {
	version, err := strconv.Atoi(strings.TrimPrefix(schema, "authproxy.v"))
	if err != nil {
		version = gateapi.Schema
	}
	return gateconfig.KeyOf(pod.Spec, version)
}

// Digest is that of the configuration file of a pod whose gate reads a schema, in hex; empty if there is none.
func Digest(config corev1.ConfigMap, pod corev1.Pod, schema string) string {
	text, found := config.Data[configKey(pod, schema)]
	if !found {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// IsHeld reports whether a pod is to keep an earlier configuration until it is replaced: it cannot read that of the spec in
// force.
func IsHeld(server *v1alpha1.MCPServer, published corev1.ConfigMap, pod corev1.Pod, state admin.State) bool {
	present, err := gateconfig.Key(server)
	own := configKey(pod, state.ConfigSchema)
	sameSchema := state.ConfigSchema == strings.TrimSuffix(gateapi.ConfigFile, ".json")
	return err == nil && own != present && sameSchema && published.Data[own] != published.Data[present]
}
