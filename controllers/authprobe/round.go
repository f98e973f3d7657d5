package authprobe

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// observation is what one round on one pod came to.
type observation struct {
	evidence
	// tier is how much was asked, and basis what it was asked of: a proof of everything is about one basis. Both are
	// empty where no case was asked.
	tier  probe.Tier
	basis string
	// results of the cases, for metrics.
	results []probe.Result
	// asked is what the next round is to know of this one; nil where no case was asked.
	asked *memory
	// replay is for the next round, as long as the same signer signs; nil where no case was asked.
	replay *probe.Replay
	signer string
	// certificate is the digest of the one that the gate shows.
	certificate string
	// bare is what the gate saw the server do without it.
	bare v1alpha1.BareServerResult
	// said is what the gate said of itself after the cases; nil where it did not.
	said *admin.State
	// around is what was found beside the gate; nil where nobody looked.
	around *surroundings
}

// memory is what rounds on one gate know of earlier ones.
type memory struct {
	turn              probe.Turn
	failures, strange probe.Failures
}

// round tries one pod, of which known is known. It does not count when the pod changed under it: what answered may then
// be another.
//
// A token that opens anything is sent to a pod only if its chain of owners ends at this server, and the gate has just
// proved that it is the one of this very pod.
func (r *Reconciler) round(ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod, known entry, use credentials) (result observation, counts bool) {
	log := logf.FromContext(ctx).WithValues("pod", pod.Name)
	against, err := r.unfit(ctx, server, pod)
	switch {
	case against != nil:
		return observation{evidence: *against}, true
	case err == nil:
		result, err = r.try(ctx, server, pod, known, use)
		result = result.unlessEnding(pod, r.Now())
	}
	if err != nil {
		log.Info("the round does not count", "reason", err.Error())
		return observation{}, false
	}
	return result, r.unchanged(ctx, pod, result.reason)
}

// unfit is the evidence against a pod that is sent no token at all, because it is not this server's or not as the
// operator made it; nil if it is.
func (r *Reconciler) unfit(ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod) (*evidence, error) {
	template, owned, err := r.template(ctx, server, pod)
	if err != nil {
		return nil, err
	}
	if !owned {
		against := stranger(r.Now())
		return &against, nil
	}
	lock := desired.LockOfMade(server, template.spec)
	violations := desired.Locked(pod.Spec, lock)
	if found := templateTampered(server); found != "" && template.current {
		violations = append(violations, desired.Violation{Rule: v1alpha1.ReasonTemplateTampered, Detail: found})
	}
	if len(violations) > 0 {
		against := tampered(pod.Spec, lock, violations, r.Now())
		return &against, nil
	}
	return nil, nil
}

// hearing asks the gate of a pod who it is, has questions put to it, and asks again: evidence is about one process.
// What lets somebody in needs no proof of who it is, so where put says that this is decided the gate is not asked again.
// failure is the evidence that it could not prove who it is.
func (r *Reconciler) hearing(
	ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod, use credentials,
	put func(gate string, before admin.State) (decided bool, err error),
) (after admin.State, failure *evidence, err error) {
	timeout := desired.Resolve(server).Probe.Timeout
	before, failure := r.identify(ctx, pod, use, timeout)
	if failure != nil {
		return before, failure, nil
	}
	gate, err := address(pod, desired.GatePortName)
	if err != nil {
		return before, nil, err
	}
	decided, err := put(gate, before)
	if err = errors.Join(err, ctx.Err()); decided || err != nil {
		return before, nil, err
	}
	after, failure = r.identify(ctx, pod, use, timeout)
	if failure == nil && after.Instance != before.Instance {
		return after, nil, errors.New("the gate was restarted during the round")
	}
	return after, failure, nil
}

// try puts the cases of a round to the gate of a pod, and looks at what else is in it.
func (r *Reconciler) try(ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod, known entry, use credentials) (observation, error) {
	var result observation
	after, failure, err := r.hearing(ctx, server, pod, use, func(gate string, before admin.State) (bool, error) {
		result.bare, result.basis = v1alpha1.BareServerResult(before.BareServer), basisOf(server, pod, use, before)
		result.certificate = before.CertificateSHA256
		if isUncertified(before) {
			result.evidence = uncertified(server, before, r.Now())
			return true, nil
		}
		on := r.questionsTo(ctx, server, pod, gate, before, known, result.basis, use)
		result.signer = signersOf(on.Providers, before)
		err := r.put(ctx, server, on, known, use, &result)
		return result.grade == open, err
	})
	switch {
	case err != nil:
		return observation{}, err
	case result.grade == open: // it answers on a pod of ours, whoever it is
		return result, r.outdated(ctx, server, result)
	case failure != nil && result.grade == proven:
		result.evidence = *failure
		return result, nil
	case failure != nil:
		return result, nil
	case basisOf(server, pod, use, after) != result.basis:
		return observation{}, errors.New("the gate was given another configuration or other keys during the round")
	}
	result.message += elsewhere(result.evidence, after)
	around := r.lookAround(ctx, pod, after, known.around, result.tier)
	result.around, result.said = &around, &after
	result.unserved = tolerated(after, use)
	if against := selfTested(after, r.Now()); against != nil && against.grade > result.grade {
		against.server = result.server
		result.evidence = *against
		return result, nil
	}
	return r.convergent(ctx, server, after, use, result), nil
}

// convergent is the result of a round as it counts for a gate that may not run what the spec asks for.
func (r *Reconciler) convergent(ctx context.Context, server *v1alpha1.MCPServer, after admin.State, use credentials, result observation) observation {
	missing := r.missing(ctx, server, after, use)
	fails := result.grade != proven && result.reason != v1alpha1.ReasonControlMissing
	if missing == nil || fails && r.isConfigured(ctx, server, after) {
		return result
	}
	missing.server = result.server
	result.evidence = *missing
	return result
}

// outdated is an error where somebody was let in who may be by now: another configuration was published during the round, and
// the gate may have taken it up. This is not asked of the gate, which could lie.
func (r *Reconciler) outdated(ctx context.Context, server *v1alpha1.MCPServer, seen observation) error {
	if seen.tier != probe.Full || seen.signer == "" || r.carriesOut(ctx, server) {
		return nil
	}
	return errors.New("another configuration was published during the round")
}

// questionsTo is what a gate that has just said this of itself is asked; of a tier, unless it has yet to be configured.
func (r *Reconciler) questionsTo(
	ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod, gate string, before admin.State, known entry, basis string, use credentials,
) probe.Target {
	tier, configured := known.tier(basis, r.Now()), r.isConfigured(ctx, server, before)
	if !configured {
		tier = probe.Beat
	}
	on := target(server, gate, use, before, question{
		tls: desired.ServesTLS(pod.Spec), tier: tier, requestID: use.requestID(pod, r.Now), seed: r.Prober.Seed(),
	})
	on.Turn, on.Proxied = known.turn, hasMeshProxy(pod)
	if configured { // What the older configuration lets in is nobody's failure.
		on.Failures, on.Wary = known.failures.Keep(isProviderOf(server)), known.urgent
		on.Hosts = r.hostsOf(ctx, server)
	}
	if !r.isListed(ctx, server, before) {
		// The one by its id stands in every version's list.
		on.Policy.RevokedSubject, on.Policy.RevokedBefore = "", ""
	}
	return on
}

// put puts the cases to the gate, with what there is of good tokens.
func (r *Reconciler) put(ctx context.Context, server *v1alpha1.MCPServer, on probe.Target, known entry, use credentials, result *observation) error {
	result.asked = &memory{turn: known.turn, failures: known.failures, strange: known.strange}
	if len(on.Providers) == 0 {
		return r.askAsStranger(ctx, on, known, use, result)
	}
	on.Replay = known.replayed(result.signer)
	return r.ask(ctx, server, on, use, result)
}

// replayed are the tokens of earlier rounds that must be refused because they have expired. Those of a key that signs no
// more may be refused for another reason, and under another configuration they may be good for longer.
func (e entry) replayed(signer string) probe.Replay {
	if e.signer != signer {
		return probe.Replay{}
	}
	return e.replay
}

// renewal is how long a proof of everything stands while beats confirm it.
const renewal = 15 * time.Minute

// tier is how much the next round asks: everything, unless everything was seen to hold on this basis, not long ago.
func (e entry) tier(basis string, now time.Time) probe.Tier {
	if e.full.basis == basis && now.Before(e.full.until) {
		return probe.Beat
	}
	return probe.Full
}

// fullProof is a round of all cases that all passed.
type fullProof struct {
	basis string
	until time.Time
}

// renewed is the full proof after one more round. What failed must not be proven by a round that does not ask for it.
func (f fullProof) renewed(seen observation, jitter float64) fullProof {
	switch {
	case seen.grade == open || seen.grade == failed:
		return fullProof{}
	case seen.grade == proven && seen.tier == probe.Full:
		// A tenth of jitter keeps servers that were created together from being asked everything together for ever.
		return fullProof{basis: seen.basis, until: seen.at.Add(time.Duration(float64(renewal) * (0.95 + jitter/10)))}
	default:
		return f
	}
}
