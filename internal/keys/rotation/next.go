package rotation

import (
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Inputs are what a step depends on besides the set and the time.
type Inputs struct {
	// Algorithm of new keys.
	Algorithm keys.Algorithm
	// Interval is how long a key signs before it is replaced; 0 is for ever.
	Interval time.Duration
	// Overlap is how long a key that signs no more still verifies: at least as long as its tokens can live.
	Overlap time.Duration
	// Request names a rotation that somebody asks for. Each name is carried out once; "" asks for nothing.
	Request string
	// Revoke is the id of a key that must no longer be accepted.
	Revoke string
	// Pods are those that could answer a request now. Unless Parked, none is the same as not having looked.
	Pods   []Pod
	Parked bool
}

// Pod is what one pod was seen to do, through its front door: for each id of a key the step of the set that was read
// before the pod was asked.
type Pod struct {
	Name             string
	Accepts, Refuses map[string]int64
	// Overdue: the pod should have ended. It gets no new requests, so it need not accept a new key, but it may still accept
	// an old one.
	Overdue bool
}

// handover is how long after a step somebody may still sign with the key that has just stopped signing: because the step
// takes its time to be stored, and because the key was read right before.
const handover = time.Minute

// Next takes at most one step. The set is as before, with the same Step, while there is nothing to do but wait.
//
// It must be stored before the next step, and before anything is done by it.
func Next(set Set, now time.Time, in Inputs) (Set, error) {
	next := set
	next.Keys, next.Step = slices.Clone(set.Keys), set.Step+1
	err := error(nil)
	switch i, due := set.due(now, in); due {
	case stepNone:
		return set, nil
	case stepRevoke:
		err = next.revoke(i, now, in.Algorithm)
	case stepSwitch:
		next.move(set.in(Signing), Retiring, now)
		next.move(i, Signing, now)
	case stepRetire:
		next.move(i, Retired, now)
	case stepConclude:
		next.Keys[i].Refused = now.UTC().Truncate(time.Second)
		next.forget(i)
	case stepPublish:
		if in.Request != "" {
			next.Request = in.Request
		}
		err = next.add(in.Algorithm, Published, now)
	}
	if err != nil {
		return set, err
	}
	next.trim()
	return next, nil
}

type step int

const (
	stepNone step = iota
	// stepRevoke withdraws a key that somebody has revoked.
	stepRevoke
	// stepSwitch lets the published key sign.
	stepSwitch
	// stepRetire withdraws a key of which no token lives.
	stepRetire
	// stepConclude takes it for proven that a withdrawn key is refused everywhere.
	stepConclude
	// stepPublish begins a rotation.
	stepPublish
)

// due gives the step that can be taken, and the key that it is about.
func (s Set) due(now time.Time, in Inputs) (int, step) {
	for i, key := range s.Keys {
		if key.ID == in.Revoke && key.Phase != Revoked && (key.Phase != Retired || key.open()) {
			return i, stepRevoke
		}
	}
	for i, key := range s.Keys {
		if next := key.due(now, in); next != stepNone {
			return i, next
		}
	}
	if s.isResting() && s.wanted(in) && s.untilWanted(now, in) <= 0 {
		return 0, stepPublish
	}
	return 0, stepNone
}

// due gives the step that can be taken with a key in the course of a rotation.
func (k Key) due(now time.Time, in Inputs) step {
	seen := in.looked() && len(k.missing(in)) == 0
	switch {
	case k.Phase == Published && seen:
		return stepSwitch
	case k.Phase == Retiring && k.left(now, in) <= 0:
		return stepRetire
	case k.open() && seen:
		return stepConclude
	}
	return stepNone
}

// revoke withdraws a key, and puts another in its place where it has one. If it signed, the new one signs at once, seen
// or not: better no token is accepted for a moment than one of a stolen key.
func (s *Set) revoke(i int, now time.Time, algorithm keys.Algorithm) error {
	phase, published := s.Keys[i].Phase, s.in(Published)
	s.move(i, Revoked, now)
	switch {
	case phase == Signing && published >= 0:
		s.move(published, Signing, now)
	case phase == Signing || phase == Published:
		return s.add(algorithm, phase, now)
	}
	return nil
}

// isResting tells that no rotation is under way.
func (s Set) isResting() bool {
	return s.in(Published) < 0 && s.in(Retiring) < 0 && !slices.ContainsFunc(s.Keys, Key.open)
}

// wanted tells that a rotation is asked for, now or in time.
func (s Set) wanted(in Inputs) bool { return in.Interval > 0 || s.requested(in) }

func (s Set) requested(in Inputs) bool { return in.Request != "" && in.Request != s.Request }

// untilWanted is the time until a rotation is to begin.
func (s Set) untilWanted(now time.Time, in Inputs) time.Duration {
	if s.requested(in) {
		return 0
	}
	return s.Keys[s.in(Signing)].Since.Add(in.Interval).Sub(now)
}

// left is the time that a retiring key still verifies.
func (k Key) left(now time.Time, in Inputs) time.Duration {
	return k.Since.Add(in.Overlap + handover).Sub(now)
}

// looked tells that what Pods says is about all there are.
func (in Inputs) looked() bool { return len(in.Pods) > 0 || in.Parked }

// missing names the pods that were not yet seen to do with the key what its phase asks for.
func (k Key) missing(in Inputs) []string {
	var out []string
	for _, pod := range in.Pods {
		if !k.seenBy(pod) && (k.Phase.Withdrawn() || !pod.Overdue) {
			out = append(out, pod.Name)
		}
	}
	return out
}

func (k Key) seenBy(pod Pod) bool {
	seen := pod.Accepts
	if k.Phase.Withdrawn() {
		seen = pod.Refuses
	}
	at, found := seen[k.ID]
	return found && at >= k.Step
}
