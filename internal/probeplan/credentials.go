package probeplan

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/probeid"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/gatestate"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// tokenLifetime is how long tokens of the prober open anything.
const tokenLifetime = gateapi.ProbeTokenLifetime

// Credentials are what the operator needs to try a server's lock.
type Credentials struct {
	Admin admin.Key
	// Former is of the gate's secret before that, while gates are to change to the present one; else its zero value.
	Former admin.Key
	IDs    probeid.Key
	// forwards tells that the server gets the tokens that clients are let in with.
	forwards bool
	// Controls are the good tokens that are to be had; the first gives the control of a round.
	Controls []Control
	// Untried are the providers of which none is to be had.
	Untried []Untried
	// expected is what the gate must have loaded.
	gatestate.Expected
}

// origin says where a good token comes from. They are in the order in which one is chosen for the control of a round: what
// the operator signs itself can be spoilt in every way.
type origin int

const (
	managedKey origin = iota
	sharedSecret
	byProbeKey
	// BroughtToken is one that the spec names.
	BroughtToken
	// AccountToken is one of the operator's own ServiceAccount.
	AccountToken
)

// Control is a good token of a provider, or the key to mint it.
type Control struct {
	probe.Provider
	// Of is the provider's name in the spec: one that is tried in two ways goes by two names in a round.
	Of   string
	From origin
}

// Untried is a provider of which no good token is to be had, and why.
type Untried struct{ Provider, Why string }

// RequestID makes ids by which the pod's gate can tell our requests from those of clients, once it has answered them. To
// anybody else they are random.
func (c Credentials) RequestID(pod corev1.Pod, now func() time.Time) func() string {
	return c.requestIDs(probeid.Pod(string(pod.UID)), now)
}

// ServiceRequestID is requestID for who asks at the Service, where any gate of the server may answer.
func (c Credentials) ServiceRequestID(now func() time.Time) func() string {
	return c.requestIDs(probeid.AnyPod(), now)
}

func (c Credentials) requestIDs(to probeid.Audience, now func() time.Time) func() string {
	return func() string {
		var random [probeid.RandomBytes]byte
		rand.Read(random[:])
		return c.IDs.New(to, now(), random)
	}
}

// against are the controls that a gate can be tried with: it has keys of their provider, and the probe key that is to sign
// for some. Whatever it lacks is told by behind, and is no failure of the lock.
func (c Credentials) against(state admin.State) []Control {
	var out []Control
	for _, with := range c.Controls {
		if !gatestate.IsServed(state, with.Of) || with.From == byProbeKey && state.ProbeKey != c.ProbeKey {
			continue
		}
		if with.From == byProbeKey {
			with.Tokens = with.Tokens.With(map[string]any{gateapi.ProbePodClaim: state.PodUID})
		}
		out = append(out, with)
	}
	return out
}

// OnlyManaged leaves the Managed provider's control alone; false if there is none, because nothing is to be signed.
func (c Credentials) OnlyManaged() (Credentials, bool) {
	c.Controls = slices.DeleteFunc(slices.Clone(c.Controls), func(with Control) bool { return with.From != managedKey })
	return c, len(c.Controls) == 1
}

// Digest changes with every key and token.
func (c Credentials) Digest() string {
	var parts []string
	for _, with := range c.Controls {
		parts = append(parts, with.Name, with.Tokens.Key.ID(), with.Bearer)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:])
}

// SignersOf names the keys that sign in a round, and the configuration of the gate that judges; empty where none signs.
func SignersOf(providers []probe.Provider, judge admin.State) string {
	if len(providers) == 0 {
		return ""
	}
	ids := []string{judge.ConfigSHA256}
	for _, provider := range providers {
		ids = append(ids, provider.Name+"="+provider.Tokens.Key.ID())
	}
	return strings.Join(ids, ",")
}

// ControlMissing is the evidence where no good token is to be had: what refuses everybody refuses bad tokens, too.
func ControlMissing(providers []Untried, at time.Time) authhealth.Evidence {
	message := "The operator has no good token to try it with: that a bad one is refused proves nothing."
	for _, p := range providers {
		message += " Provider " + p.Provider + ": " + p.Why
	}
	return authhealth.Evidence{
		At: at, Grade: authhealth.Unknown, Reason: v1alpha1.ReasonProbeCredentialMissing, Question: "control",
		Expected: "a good token to try", Seen: "none", Message: message,
	}
}

// Unanswered is the evidence that the gate let a probe in and the server behind it did not, nil if that is not so. Such a
// server wants the tokens that clients are let in with, and gets none of the probe key's. One that gets nobody's refuses
// clients as well: that is no matter of the control.
func (c Credentials) Unanswered(report probe.Report, at time.Time) *authhealth.Evidence {
	of := func(name string) bool {
		return slices.ContainsFunc(c.Controls, func(with Control) bool { return with.Name == name && with.From == byProbeKey })
	}
	refused := func(result probe.Result) bool {
		return result.Case == probe.Valid && result.Outcome == probe.Rejected && result.Reason == "" && of(result.Provider)
	}
	i := slices.IndexFunc(report.Results, refused)
	if i < 0 || !c.forwards {
		return nil
	}
	found := report.Results[i]
	return &authhealth.Evidence{
		At: at, Grade: authhealth.Unknown, Reason: v1alpha1.ReasonProbeCredentialMissing, Question: string(probe.Valid), Expected: found.Expected, Seen: found.Seen,
		Message: "The gate let the operator's probe of provider " + found.Provider + " in, and the server behind it refused it (" + found.Seen +
			"): it wants a token (auth.forward.authorization is Forward), and is never passed one of the probe key. " +
			"Put a token that it takes into a Secret, name that in authProbe.tokenSecretRef, and set authProbe.credential to SecretRef.",
	}
}

// Note says to a person which providers were not tried with tokens of their own keys; empty if all were.
func (c *Credentials) Note() string {
	if c == nil {
		return ""
	}
	note := ""
	if probed := c.triedBy(byProbeKey); probed != "" {
		note = " Tried with the operator's probe key: " + probed + "; the keys of the issuer are loaded."
	}
	if called := c.triedBy(AccountToken); called != "" {
		note += " Tried with a token of the operator's own ServiceAccount: " + called + "."
	}
	if brought := c.triedBy(BroughtToken); brought != "" {
		note += " Tried with the token of authProbe.tokenSecretRef: " + brought + "."
	}
	for _, p := range c.Untried {
		note += " A valid token of provider " + p.Provider + " was not tried; its keys are loaded. The reason: " + p.Why
	}
	return note
}

// triedBy names the providers with a good token of such an origin.
func (c *Credentials) triedBy(from origin) string {
	var names []string
	for _, with := range c.Controls {
		if with.From == from {
			names = append(names, with.Of)
		}
	}
	return strings.Join(names, ", ")
}
