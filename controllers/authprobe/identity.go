package authprobe

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/redact"
)

// identify asks the gate's admin port who it is.
func (r *Reconciler) identify(ctx context.Context, pod corev1.Pod, use credentials, timeout time.Duration) (admin.State, *evidence) {
	out := &evidence{at: r.Now(), grade: unknown, question: "identity", expected: "the proof of the gate of this pod"}
	where, err := address(pod, desired.AdminPortName)
	if err != nil {
		out.reason, out.seen = v1alpha1.ReasonWrongPodAnswered, err.Error()
		out.message = fmt.Sprintf("It has no port %s where its gate could be asked. If it stays so, delete the pod.", desired.AdminPortName)
		return admin.State{}, out
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	state, err := (&admin.Client{HTTP: r.HTTP, Key: use.admin, Former: use.former, Now: r.Now}).State(ctx, "http://"+where, string(pod.UID))
	if err == nil {
		return state, nil
	}
	if errors.Is(err, admin.ErrUnreachable) {
		out.cut = errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)
		out.reason, out.seen = v1alpha1.ReasonUnreachable, "no connection to the admin port "+where
		out.message = fmt.Sprintf("The operator has no connection to the gate's admin port %s: look at the pod, at NetworkPolicies and at the mesh, if there is one.", where)
		return admin.State{}, out
	}
	out.reason, out.seen = v1alpha1.ReasonWrongPodAnswered, "an answer without that proof"
	out.message = fmt.Sprintf("What answers on %s could not prove to be the gate of this pod, so it was sent no token. If it stays so, delete the pod.", where)
	return admin.State{}, out
}

// missing is the evidence that a gate does not run what the server's spec asks for, nil if it does. It is no failure of
// the lock: a changed configuration takes its time to reach a pod.
func (r *Reconciler) missing(ctx context.Context, server *v1alpha1.MCPServer, state admin.State, use credentials) *evidence {
	wanted := ""
	if config, found := r.configMap(ctx, server, desired.GateConfigName(server)); found {
		wanted = digest(config, state.ConfigSchema)
	}
	what, expected, seen := behind(state, wanted, use)
	if what == "" {
		return nil
	}
	return &evidence{
		at: r.Now(), grade: unknown, reason: v1alpha1.ReasonGateNotConverged, question: what, expected: expected, seen: seen,
		message: fmt.Sprintf("The gate does not run what the spec asks for: its %s is %s, and must be %s. "+
			"If it stays so, look at the log of container %s.", what, seen, expected, desired.GateContainer),
	}
}

// selfTested is the evidence that a gate gives against itself; nil if it gives none. It asks itself over its own port with bad
// tokens, of which each must be refused for its reason: a success is an open lock.
func selfTested(state admin.State, at time.Time) *evidence {
	if !strings.Contains(state.SelfTest, "got status ") {
		return nil
	}
	seen := redact.Trusted(state.SelfTest)
	out := &evidence{
		at: at, grade: failed, reason: v1alpha1.ReasonWrongAnswer, confirmed: true, question: "self-test",
		expected: "401 for each bad token", seen: seen,
	}
	what := "was not refused as it must be"
	if strings.Contains(state.SelfTest, "got status 2") {
		what, out.grade, out.reason = "was let in", open, v1alpha1.ReasonInvalidTokenAccepted
	}
	out.message = fmt.Sprintf("The gate has tried itself, and a bad token %s: %s. Look at the log of container %s, and delete the pod; "+
		"if the next one is no better, look at the gate's image.", what, seen, desired.GateContainer)
	return out
}

// digest is that of the configuration file of a schema, in hex; empty if there is none.
func digest(config corev1.ConfigMap, schema string) string {
	file := authproxy.ConfigFile
	if schema != "" {
		file = schema + ".json"
	}
	text, found := config.Data[file]
	if !found {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// behind says which part of a gate is not as it must be, and both states of it; an empty part if all is. wanted is the
// digest of its configuration, "" if that is not known. What is tolerated is not among it.
func behind(state admin.State, wanted string, use credentials) (part, expected, seen string) {
	if state.SelfTest != "passed" {
		return "self-test", "passed", redact.Trusted(state.SelfTest)
	}
	if wanted != "" && state.ConfigSHA256 != wanted {
		seen := "another one"
		if state.LastReloadError != "" {
			seen += " (" + redact.Trusted(state.LastReloadError) + ")"
		}
		return "configuration", "the one in the ConfigMap", seen
	}
	if use.probeKey != "" && state.ProbeKey != use.probeKey {
		return "probe key", use.probeKey, cmp.Or(state.ProbeKey, "none")
	}
	for _, provider := range mustServe(state, use) {
		loaded := state.Keys[provider]
		if len(loaded) == 0 {
			return "key set of provider " + provider, "loaded", "empty" + fetched(state.Remote[provider])
		}
		if remote := state.Remote[provider]; isStale(remote, state.Time) {
			return "key set of provider " + provider, "fetched not long ago", "stale" + fetched(remote)
		}
		for _, kid := range use.kids[provider] {
			if !slices.Contains(loaded, kid) {
				return "key set of provider " + provider, "one with the key " + kid, "one with " + strings.Join(loaded, ", ")
			}
		}
	}
	return "", "", ""
}

// isStale tells that keys were fetched longer ago than they may be used. A gate drops such keys itself.
func isStale(remote admin.RemoteKeys, now time.Time) bool {
	return remote.MaxStaleSeconds > 0 && now.Sub(remote.LastGood) > time.Duration(remote.MaxStaleSeconds)*time.Second
}

// fetched says why keys that a gate fetches are not there; empty if nobody knows.
func fetched(remote admin.RemoteKeys) string {
	if remote.LastError == "" {
		return ""
	}
	return " (the gate could not fetch it: " + redact.Trusted(remote.LastError) + ")"
}
