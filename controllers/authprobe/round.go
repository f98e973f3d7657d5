package authprobe

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/exposurecheck"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gatestate"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probeplan"
)

// round is one try of one pod's lock.
type round struct {
	r      *Reconciler
	server *v1alpha1.MCPServer
	pod    corev1.Pod
	// known is what is known of the pod, elsewhere what others of the server have failed, and use what its lock is tried with.
	known     authhealth.PodFindings
	elsewhere probe.Failures
	use       probeplan.Credentials
	// result is what the round has come to.
	result authhealth.Observation
}

// run gives the result of the round. It does not count when the pod changed under it: what answered may then be another.
//
// A token that opens anything is sent to a pod only if its chain of owners ends at this server, and the gate has just
// proved that it is the one of this very pod.
func (t *round) run(ctx context.Context) (result authhealth.Observation, counts bool) {
	pods := podCheck{t.r, t.r.Now}
	against, err := pods.unfit(ctx, t.server, t.pod)
	if against != nil {
		return authhealth.Observation{Evidence: *against}, true
	}
	if err == nil {
		err = t.try(ctx)
	}
	if err != nil {
		logf.FromContext(ctx).WithValues("pod", t.pod.Name).Info("the round does not count", "reason", err.Error())
		return authhealth.Observation{}, false
	}
	result = t.result.UnlessEnding(t.pod, t.r.Now())
	return result, pods.unchanged(ctx, t.pod, result.Reason)
}

// try puts the cases of a round to the gate of a pod, and looks at what else is in it.
func (t *round) try(ctx context.Context) error {
	after, failure, err := newGateClient(t.r, t.server).hearing(ctx, t.pod, t.use, func(gate string, before admin.State) (bool, error) {
		t.result.Bare, t.result.Basis = v1alpha1.BareServerResult(before.BareServer), t.basis(before)
		t.result.Certificate = before.CertificateSHA256
		if authhealth.IsUncertified(before) {
			t.result.Evidence = authhealth.Uncertified(t.server, before, t.r.Now())
			return true, nil
		}
		on := t.questionsTo(ctx, gate, before)
		t.result.Signer = probeplan.SignersOf(on.Providers, before)
		err := t.put(ctx, on)
		return t.result.Grade == authhealth.Open, err
	})
	switch {
	case err != nil:
		return err
	case t.result.Grade == authhealth.Open: // it answers on a pod of ours, whoever it is
		return t.outdated(ctx)
	case failure != nil && t.result.Grade == authhealth.Proven:
		t.result.Evidence = *failure
		return nil
	case failure != nil:
		return nil
	case t.basis(after) != t.result.Basis:
		return errors.New("the gate was given another configuration or other keys during the round")
	}
	t.result.Message += authhealth.ListensElsewhere(t.result.Evidence, authhealth.AbsenceOf(after, desired.Resolve(t.server).Port))
	check := exposurecheck.Check{Dial: t.r.Dial, Budget: t.r.budget, Now: t.r.Now, Jitter: t.r.Jitter}
	exposure := check.Run(ctx, t.pod, after, t.known.Exposure, t.result.Tier)
	t.result.Exposure, t.result.State = &exposure, &after
	t.result.MissingKeys = gatestate.Tolerated(after, t.use.Expected)
	return t.confessed(ctx, after)
}

func (t *round) basis(state admin.State) string {
	return probeplan.BasisOf(t.server, t.pod, t.use, state)
}

// instead has other evidence stand in place of what the round has come to.
func (t *round) instead(other authhealth.Evidence) {
	other.Server = t.result.Server
	t.result.Evidence = other
}

// confessed takes the result in the light of what the gate says of itself.
func (t *round) confessed(ctx context.Context, said admin.State) error {
	loaded, err := t.asPublished(ctx, said)
	if err != nil {
		return err
	}
	for _, against := range []*authhealth.Evidence{gatestate.SelfTested(said, t.r.Now()), loaded} {
		if against != nil && against.Grade > t.result.Grade {
			t.instead(*against)
			return nil
		}
	}
	t.convergent(ctx, said)
	return nil
}

// convergent takes the result as it counts for a gate that may not run what the spec asks for.
func (t *round) convergent(ctx context.Context, after admin.State) {
	specs := t.r.specs()
	if held := specs.held(ctx, t.server, t.pod, after); held != nil && (t.result.Grade == authhealth.Unknown || t.result.Grade == authhealth.Failed) {
		t.instead(*held)
		return
	}
	missing := specs.missing(ctx, t.server, t.pod, after, t.use.Expected)
	fails := t.result.Grade != authhealth.Proven && t.result.Reason != v1alpha1.ReasonProbeCredentialMissing
	if missing != nil && (!fails || !specs.isConfigured(ctx, t.server, t.pod, after)) {
		t.instead(*missing)
	}
}

// outdated is an error where somebody was let in who may be by now: another configuration was published during the round, and
// the gate may have taken it up. This is not asked of the gate, which could lie.
func (t *round) outdated(ctx context.Context) error {
	if t.result.Tier != probe.Full || t.result.Signer == "" || t.r.specs().carriesOut(ctx, t.server) {
		return nil
	}
	return errors.New("another configuration was published during the round")
}

// asPublished is the evidence that a gate has loaded something that the operator has not published, or no longer: nil if it has
// not. What is found is looked at twice, for the gate may be ahead of what was read: users replace their keys themselves.
func (t *round) asPublished(ctx context.Context, said admin.State) (*authhealth.Evidence, error) {
	differences := func(said admin.State, must gatestate.Expected) []gatestate.Difference {
		return gatestate.Differences(t.r.Publications.Of(t.server), t.server, t.pod, said, must, t.r.Now())
	}
	if found := differences(said, t.use.Expected); len(found) == 0 {
		return nil, nil
	}
	again, err := t.r.credentials(ctx, t.server)
	if err != nil || again == nil {
		return nil, err
	}
	said, failure := newGateClient(t.r, t.server).identify(ctx, t.pod, *again)
	if failure != nil {
		return failure, nil
	}
	found := differences(said, again.Expected)
	if len(found) == 0 {
		return nil, nil
	}
	return gatestate.Unpublished(gatestate.MountedBy(t.server, t.pod, found), said, t.r.Now()), nil
}
