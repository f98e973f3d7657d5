package statusreport

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// notesOf says in few words what Ready leaves out: what is under way, what waits, and which True condition has a warning in
// its message.
func notesOf(server Server, now time.Time) []string {
	var out []string
	for _, c := range server.Conditions {
		if note := server.noteOf(c, now); note != "" {
			out = append(out, note)
		}
	}
	if foreign := len(foreignPods(server.Pods)); foreign > 0 {
		out = append(out, fmt.Sprintf("%d foreign pods", foreign))
	}
	return out
}

// noteOf is what notesOf says of one condition; empty if that is nothing.
func (s Server) noteOf(c Condition, now time.Time) string {
	ready := s.condition(v1alpha1.ConditionReady)
	switch {
	case c.Type == v1alpha1.ConditionReady && c.Outdated:
		return "a change of the spec waits for the operator"
	case c.Status != metav1.ConditionTrue || c.Type == v1alpha1.ConditionReady:
		return ""
	case isSummary(c):
		if ready != nil && ready.Reason == c.Reason || isRepeated(c, s.Conditions) {
			return ""
		}
		return fmt.Sprintf("%s for %s: %s", c.Type, age(c.Since, now), c.Reason)
	case c.Type == v1alpha1.ConditionClientsRefused:
		return fmt.Sprintf("%s for %s", c.Type, age(c.Since, now))
	case c.isUnderWay():
		return c.Reason
	}
	return c.warning()
}

func (c Condition) warning() string {
	if !c.warns() {
		return ""
	}
	return c.Type + " has a warning"
}

func foreignPods(pods []Pod) []Pod {
	return slices.DeleteFunc(slices.Clone(pods), func(p Pod) bool { return !p.Foreign })
}

// isUnderWay reports whether a True condition says that something is still being done.
func (c Condition) isUnderWay() bool {
	return c.Status == metav1.ConditionTrue && slices.Contains([]string{v1alpha1.ReasonKeysRotating, v1alpha1.ReasonGateSecretRotating}, c.Reason)
}

// facts begin the sentences of a True condition that say how the verdict was come by, or what has a line of its own on the
// page. Every other sentence behind the first is there because somebody has to know.
var facts = []string{"Tried with ", "Without its gate ", "This cluster does not enforce NetworkPolicies", "The server does not end sessions "}

// warns reports whether the message of a True condition says more than that all is well.
func (c Condition) warns() bool {
	if c.Status != metav1.ConditionTrue || isSummary(c) {
		return false
	}
	_, rest, _ := strings.Cut(c.Message, ". ")
	for _, sentence := range strings.Split(rest, ". ") {
		isFact := func(fact string) bool { return strings.HasPrefix(sentence, fact) }
		if sentence != "" && !slices.ContainsFunc(facts, isFact) {
			return true
		}
	}
	return false
}
