package probe

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// The subjects that gates of Gatehouse keep for probes, and the claim by which a token of their probe key is bound to a pod.
// They are the gate's own; they are repeated here because the prober must not depend on the gate.
const (
	Subject      = "gatehouse-probe"
	OtherSubject = "gatehouse-probe-other"
	PodClaim     = "gatehouse_pod"
)

// probeKeyLife is the longest that a token of the probe key may live.
const probeKeyLife = time.Minute

// isReserved tells whether the control goes by a subject that is reserved.
func (i *issuer) isReserved() bool {
	subject := i.Tokens.Subject
	if claim, replaced := i.Tokens.Claims["sub"]; replaced {
		subject, _ = claim.(string)
	}
	return i.signs() && (subject == Subject || subject == OtherSubject)
}

// misused are tokens of the probe key that it may not sign: each is the control but for one thing that makes it more than
// a probe of this pod.
func (r *round) misused(from *issuer) []question {
	if !from.ProbeKey {
		return nil
	}
	somebody, pod := map[string]any{"sub": "somebody"}, fmt.Sprintf("%x", r.drawFor(ProbeKeyMisused, from.Name).Uint64())
	for _, claim := range from.Tokens.IdentityClaims() {
		somebody[claim] = "somebody"
	}
	type misuse struct {
		variation string
		lifetime  time.Duration
		claims    map[string]any
	}
	all := []misuse{
		{"for another subject", 0, somebody},
		{"bound to another pod", 0, map[string]any{PodClaim: pod}},
		{"bound to no pod", 0, map[string]any{PodClaim: nil}},
	}
	for _, claim := range from.Tokens.IdentityClaims() {
		if claim != "sub" {
			all = append(all, misuse{"for another " + claim, 0, map[string]any{claim: "somebody"}})
		}
	}
	// Else the provider's own bound refuses it first.
	if long := 2 * probeKeyLife; from.MaxTokenLifetime == 0 || from.MaxTokenLifetime > long {
		all = append(all, misuse{"for two minutes", long, nil})
	}
	if from.MaxTokenLifetime == 0 {
		all = append(all, misuse{"without iat", 0, map[string]any{"iat": nil}})
	}
	var out []question
	for _, bad := range all {
		q := r.minted(ProbeKeyMisused, from, unauthorized(reasonProbe), func(now time.Time) (string, error) {
			template := from.Tokens.With(bad.claims)
			if bad.lifetime > 0 {
				template.Lifetime = bad.lifetime
			}
			return template.Good(now)
		})
		q.variation = bad.variation
		out = append(out, q)
	}
	return out
}

// reservedCalls are what rules let the control have, and its subject does not: a notification that nobody knows, which
// rules do not forbid anybody, and the calls that are known to be allowed. They come outside of any session and without
// arguments.
func (r *round) reservedCalls(from *issuer) []question {
	if !r.target.Policy.Fenced || !from.isReserved() {
		return nil
	}
	unknown := Call{Method: "notifications/" + r.target.Policy.Absent}
	want := refused(http.StatusForbidden, reasonReserved)
	var all []question
	for _, wanted := range append([]Call{unknown}, r.target.Policy.Allowed...) {
		q := r.target.asks(ReservedCall, from, want, nil)
		q.variation = r.target.Policy.label(wanted.Method, wanted.Name)
		q.prepare = func(now time.Time) (attempt, error) {
			good, err := r.controlAt(from, now)
			return func(ctx context.Context, r *round) finding {
				return r.refusal(ctx, shot{call: wanted.message(r.id())}.bearing(good), want)
			}, err
		}
		all = append(all, q)
	}
	return all
}
