package keys

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// collector sorts what a file holds. The fault of one key is never that of another.
type collector struct {
	keys    []Public
	labels  []string // of keys, for messages
	ignored []string
	faulty  []string
}

// add takes the outcome for the key that label names in messages.
func (c *collector) add(label string, key Public, err error) {
	if err == nil && slices.ContainsFunc(c.keys, func(other Public) bool { return reflect.DeepEqual(key, other) }) {
		err = foreign("it is there already")
	}
	var reason foreign
	switch {
	case errors.As(err, &reason):
		c.ignored = append(c.ignored, label+": "+err.Error())
	case err != nil:
		c.faulty = append(c.faulty, label+": "+err.Error())
	default:
		c.keys, c.labels = append(c.keys, key), append(c.labels, label)
	}
}

// set leaves out the keys that cannot be told apart.
func (c *collector) set() (Set, error) {
	out := Set{Ignored: c.ignored, Faulty: c.faulty}
	for i, key := range c.keys {
		if slices.ContainsFunc(c.keys, key.isTakenFor) {
			out.Faulty = append(out.Faulty, c.labels[i]+": the kid is used twice, for different keys of one algorithm: no token can tell them apart")
			continue
		}
		out.Keys = append(out.Keys, key)
	}
	left := slices.Concat(out.Faulty, out.Ignored)
	switch {
	case len(out.Keys) > 0:
		return out, nil
	case len(left) == 0:
		return Set{}, errors.New("the key set is empty")
	default:
		return Set{}, fmt.Errorf("no key is left to verify with: %s", strings.Join(left, "; "))
	}
}

// isTakenFor reports whether a token that names one of two different keys, by "kid" and "alg", names the other as well.
func (k Public) isTakenFor(other Public) bool {
	if k.Anonymous || other.Anonymous || k.ID != other.ID || reflect.DeepEqual(k.Key, other.Key) {
		return false
	}
	return slices.ContainsFunc(k.mayServe(), func(a Algorithm) bool { return slices.Contains(other.mayServe(), a) })
}

// mayServe are the algorithms that the key has or may be bound to.
func (k Public) mayServe() []Algorithm {
	if k.Algorithm != "" {
		return []Algorithm{k.Algorithm}
	}
	fitting, err := served(k.Key)
	if err != nil {
		return nil
	}
	return fitting
}
