package rotation

import "time"

// Outlook says what a set waits for. Its zero value is nothing.
type Outlook struct {
	// Key is the one that the wait is about; its ID is empty while no rotation is under way.
	Key Key
	// Pods are those that must still be seen to accept a published key, or to refuse a withdrawn one. Unseen tells that
	// this is waited for also where no pod is there to be asked.
	Pods   []string
	Unseen bool
	// After is the time until a step is due by the clock; 0 is none.
	After time.Duration
}

// Outlook gives what the next step waits for: a revoked key before any other.
func (s Set) Outlook(now time.Time, in Inputs) Outlook {
	var out Outlook
	for _, key := range s.Keys {
		if out.Key.ID != "" && (key.Phase != Revoked || out.Key.Phase == Revoked) {
			continue
		}
		switch {
		case key.Phase == Retiring:
			out = Outlook{Key: key}
		case key.Phase == Published || key.open():
			out = Outlook{Key: key, Pods: key.missing(in), Unseen: true}
		}
	}
	for _, key := range s.Keys {
		if key.Phase == Retiring {
			out.After = max(key.left(now, in), time.Second)
		}
	}
	if s.isResting() && s.wanted(in) {
		out.After = max(s.untilWanted(now, in), time.Second)
	}
	return out
}

// Questions are the keys that pods must be asked about for the next step.
func (s Set) Questions() []Key {
	var out []Key
	for _, key := range s.Keys {
		if key.Phase == Published || key.open() {
			out = append(out, key)
		}
	}
	return out
}

// Seen counts the pods that were seen to do with the key what its phase asks for.
func (k Key) Seen(in Inputs) int {
	count := 0
	for _, pod := range in.Pods {
		if k.seenBy(pod) {
			count++
		}
	}
	return count
}
