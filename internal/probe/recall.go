package probe

import (
	"strings"
	"time"
)

const (
	variationMark = ": "
	providerMark  = "; provider "
)

// Question names the question that decided, fit to be kept: Recall reads it.
func (v Verdict) Question() string {
	text := string(v.Case)
	if v.Variation == "" || v.Case == Valid {
		return text
	}
	if text += variationMark + v.Variation; v.Provider != "" {
		text += providerMark + v.Provider
	}
	return text
}

// Recall is a failure that somebody who remembers nothing else has kept by the name of its question. Questions that a full
// round asks at any rate are not recalled. What was drawn for it then is lost; the question is the same. open: somebody was
// let in.
func Recall(question, expected, seen string, open bool, at time.Time) (Failure, bool) {
	name, rest, found := strings.Cut(question, variationMark)
	if !found || Case(name) == Valid || Case(name).info().Proves == "" {
		return Failure{}, false
	}
	out := Failure{
		Result: Result{Case: Case(name), Outcome: ForeignAnswer, Expected: expected, Seen: seen}, First: at, Last: at, Times: 1,
		Confirmed: true, seed: 1, kind: Broken,
	}
	if out.Result.Variation, out.Result.Provider, _ = cutLast(rest, providerMark); open {
		out.Result.Outcome, out.kind = Accepted, Open
	}
	return out, true
}

func cutLast(text, mark string) (before, after string, found bool) {
	if i := strings.LastIndex(text, mark); i >= 0 {
		return text[:i], text[i+len(mark):], true
	}
	return text, "", false
}
