//go:build soak

package soak

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// question is a request as the rules see it.
type question struct {
	bearer        string
	key           string // that signed it, by its name here
	jti, sub, kid string
	tool          string // "" for a stream
}

// mountedRules are what one generation of the mounted files says.
type mountedRules struct {
	keys    map[string]bool // by their names here
	revoked map[string]bool // lines of the list
	writing bool            // the tool "write" may be called
	shown   string          // digest of the certificate
}

func (r mountedRules) clone() mountedRules {
	r.keys, r.revoked = maps.Clone(r.keys), maps.Clone(r.revoked)
	return r
}

// verdict is the right answer.
func (r mountedRules) verdict(q question) string {
	switch {
	case !r.keys[q.key]:
		return "401 unknown_key"
	case r.revoked["jti:"+q.jti], r.revoked["sub:"+q.sub], r.revoked["kid:"+q.kid]:
		return "401 revoked"
	case q.tool == "write" && !r.writing:
		return "403 forbidden"
	default:
		return accepted
	}
}

// timeline knows which rules may be in force when.
type timeline struct {
	mu     sync.Mutex
	epochs []epoch
}

// epoch: rules cannot be in force before they are written, nor once the gate has said that later ones are.
type epoch struct {
	mountedRules
	from, until time.Time // until is zero while they may be
}

// change is to be called before the rules are written.
func (t *timeline) change(next mountedRules) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.epochs = append(t.epochs, epoch{mountedRules: next.clone(), from: time.Now()})
}

// settle is to be called when the gate has said that the last rules are in force.
func (t *timeline) settle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.epochs[:len(t.epochs)-1] {
		if t.epochs[i].until.IsZero() {
			t.epochs[i].until = time.Now()
		}
	}
}

// during gives the rules of which one was in force when a request was judged that began and ended then.
func (t *timeline) during(began, ended time.Time) []mountedRules {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []mountedRules
	for _, e := range t.epochs {
		if !e.from.After(ended) && (e.until.IsZero() || !e.until.Before(began)) {
			all = append(all, e.mountedRules)
		}
	}
	return all
}

// current are the last rules that were written.
func (t *timeline) current() mountedRules {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.epochs[len(t.epochs)-1].clone()
}

// decisions are the answers that are right by one of these rules, each once.
func decisions(all []mountedRules, q question) []string {
	set := map[string]bool{}
	for _, r := range all {
		set[r.verdict(q)] = true
	}
	return slices.Sorted(maps.Keys(set))
}
