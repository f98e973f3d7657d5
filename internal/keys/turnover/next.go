package turnover

import (
	"fmt"
	"slices"
	"time"
)

// Inputs are what a step depends on besides the set and the time.
type Inputs struct {
	// Request names a turnover that somebody asks for. Each name is carried out once; "" asks for nothing.
	Request string
	// Keep is how long the previous secret still opens sessions, from the time at which every gate sealed with the new one.
	Keep time.Duration
	// Fresh makes a secret.
	Fresh func() (Generation, error)
	// Pods are those that could answer a request now. Unless Parked, none is the same as not having looked.
	Pods   []Pod
	Parked bool
}

// Pod is what the gate of one pod said of its secrets last. Empty ids: it said nothing yet, or is of a release that does not.
type Pod struct {
	Name string
	// Current is the id of the secret that it seals with; Loaded are those of all that it opens with, Current among them.
	Current string
	Loaded  []string
}

// Next takes at most one step. The set is as before while there is nothing to do but wait.
//
// It must be stored before the next step.
func Next(set Set, now time.Time, in Inputs) (Set, error) {
	if !set.isDue(now, in) {
		return set, nil
	}
	switch set.Phase {
	case Resting:
		fresh, err := in.Fresh()
		if err != nil {
			return set, fmt.Errorf("turn over the gate's secret: %w", err)
		}
		set.Next, set.Request = fresh, in.Request
		return set.move(Published, now), nil
	case Published:
		set.Previous, set.Current, set.Next = set.Current, set.Next, Generation{}
		return set.move(Switched, now), nil
	case Switched:
		return set.move(Keeping, now), nil
	case Keeping:
		set.Withdrawn, set.Previous = set.Previous.ID, Generation{}
		return set.move(Withdrawing, now), nil
	default:
		set.Withdrawn = ""
		return set.move(Resting, now), nil
	}
}

// isDue reports whether the step out of the set's phase can be taken.
func (s Set) isDue(now time.Time, in Inputs) bool {
	switch s.Phase {
	case Resting:
		return in.Request != "" && in.Request != s.Request
	case Keeping:
		return s.left(now, in) <= 0
	default:
		return (len(in.Pods) > 0 || in.Parked) && len(s.missing(in)) == 0
	}
}

func (s Set) move(to Phase, now time.Time) Set {
	// Whole seconds are what is stored.
	s.Phase, s.Since = to, now.UTC().Truncate(time.Second)
	return s
}

// left is how long the previous secret is still kept.
func (s Set) left(now time.Time, in Inputs) time.Duration { return s.Since.Add(in.Keep).Sub(now) }

// missing names the pods whose gates were not yet seen to be where the phase wants them.
func (s Set) missing(in Inputs) []string {
	var out []string
	for _, pod := range in.Pods {
		if !s.seenBy(pod) {
			out = append(out, pod.Name)
		}
	}
	return out
}

func (s Set) seenBy(pod Pod) bool {
	switch s.Phase {
	case Published:
		return slices.Contains(pod.Loaded, s.Next.ID)
	case Switched:
		return pod.Current != "" && pod.Current == s.Current.ID
	case Withdrawing:
		return pod.Current != "" && !slices.Contains(pod.Loaded, s.Withdrawn)
	default:
		return true
	}
}

// Outlook says what a set waits for. Its zero value is nothing.
type Outlook struct {
	// Phase is Resting while no turnover is under way.
	Phase Phase
	// Pods are those whose gates the next step waits for.
	Pods []string
	// After is the time until a step is due by the clock; 0 is none.
	After time.Duration
}

// Outlook returns what the next step waits for.
func (s Set) Outlook(now time.Time, in Inputs) Outlook {
	out := Outlook{Phase: s.Phase, Pods: s.missing(in)}
	if s.Phase == Keeping {
		out.After = max(s.left(now, in), time.Second)
	}
	return out
}
