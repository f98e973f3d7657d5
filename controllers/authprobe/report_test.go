package authprobe

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// Status is written for each change of what it says, and else as a heartbeat.
func TestStatusIsWrittenForNews(t *testing.T) {
	server := &v1alpha1.MCPServer{}
	server.Generation = 3
	failures := []v1alpha1.AuthFailure{{Pod: "b", Case: "none"}}
	server.Status.AuthHealth = &v1alpha1.AuthHealth{
		Pods: 2, ProvenPods: 1, NetworkPolicy: v1alpha1.NetworkPolicyEnforced, BareServer: notAsked, Failures: failures, LastProbeTime: metav1.NewTime(noon),
	}
	before := metav1.Condition{Status: metav1.ConditionFalse, Reason: "R", Message: "M", ObservedGeneration: 3}
	for name, change := range map[string]func(*judgement, *metav1.Condition){
		"":                func(*judgement, *metav1.Condition) {},
		"its status":      func(v *judgement, _ *metav1.Condition) { v.status = metav1.ConditionUnknown },
		"its reason":      func(v *judgement, _ *metav1.Condition) { v.reason = "S" },
		"its message":     func(v *judgement, _ *metav1.Condition) { v.message = "N" },
		"the pods":        func(v *judgement, _ *metav1.Condition) { v.pods++ },
		"the proven pods": func(v *judgement, _ *metav1.Condition) { v.provenPods++ },
		"what fails": func(v *judgement, _ *metav1.Condition) {
			v.failures = []v1alpha1.AuthFailure{{Pod: "b", Case: "malformed"}}
		},
		"nothing fails":        func(v *judgement, _ *metav1.Condition) { v.failures = nil },
		"the policy":           func(v *judgement, _ *metav1.Condition) { v.policy = v1alpha1.NetworkPolicyUnknown },
		"the bare server":      func(v *judgement, _ *metav1.Condition) { v.bare = "Open" },
		"the spec it is about": func(_ *judgement, c *metav1.Condition) { c.ObservedGeneration = 2 },
	} {
		verdict, condition := judgement{
			status: metav1.ConditionFalse, reason: "R", message: "M", pods: 2, provenPods: 1, failures: failures,
			policy: v1alpha1.NetworkPolicyEnforced, bare: notAsked,
		}, before
		change(&verdict, &condition)
		if got := same(server, condition, verdict); got != (name == "") {
			t.Errorf("%s has changed: same is %v", name, got)
		}
	}
	for age, due := range map[time.Duration]bool{10*time.Minute - 1: false, 10 * time.Minute: true} {
		if got := heartbeatDue(server, noon.Add(age)); got != due {
			t.Errorf("evidence is %v newer: a heartbeat is due: %v", age, got)
		}
	}
}

// A True that an operator finds stands for two heartbeats, or for two rounds.
func TestStatusThatIsStale(t *testing.T) {
	for name, c := range map[string]struct {
		status        metav1.ConditionStatus
		interval, age time.Duration
		want          bool
	}{
		"fresh":                         {metav1.ConditionTrue, time.Second, 20 * time.Minute, false},
		"two heartbeats ago":            {metav1.ConditionTrue, time.Second, 20*time.Minute + time.Second, true},
		"less than two rounds ago":      {metav1.ConditionTrue, time.Hour, 2 * time.Hour, false},
		"two rounds ago":                {metav1.ConditionTrue, time.Hour, 2*time.Hour + time.Second, true},
		"that it fails does not expire": {metav1.ConditionFalse, time.Second, time.Hour, false},
		"nor that it is unknown":        {metav1.ConditionUnknown, time.Second, time.Hour, false},
	} {
		server := &v1alpha1.MCPServer{}
		server.Status.AuthHealth = &v1alpha1.AuthHealth{LastProbeTime: metav1.NewTime(noon.Add(-c.age))}
		if got := stale(server, &metav1.Condition{Status: c.status}, noon.Add(-lifetime(c.interval))); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if !stale(&v1alpha1.MCPServer{}, &metav1.Condition{Status: metav1.ConditionTrue}, noon) || stale(&v1alpha1.MCPServer{}, nil, noon) {
		t.Error("True without evidence is stale, and nothing is not")
	}
}

// What the server does without its gate is told, and part of no verdict.
func TestNotes(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		pods   []subject
		want   string // what is added to the message
		bare   v1alpha1.BareServerResult
	}{
		"nothing":               {"", []subject{{}}, "", ""},
		"it refuses":            {"", []subject{{bare: "Refuses"}}, "", "Refuses"},
		"it is open":            {"", []subject{{bare: "Open"}}, " Without its gate the server would let anybody in.", "Open"},
		"any bearer":            {"", []subject{{bare: "AnyBearer"}}, " Without its gate the server would take any token.", "AnyBearer"},
		"resets":                {"", []subject{{bare: "Resets"}}, " Without its gate the server resets a request without a good token.", "Resets"},
		"exits":                 {"", []subject{{bare: "Exits"}}, " Without its gate the server exits at a request without a good token.", "Exits"},
		"hangs":                 {"", []subject{{bare: "Hangs"}}, " Without its gate the server hangs at a request without a good token.", "Hangs"},
		"asked in one of them":  {"", []subject{{}, {bare: notAsked}, {bare: "Refuses"}}, "", "Refuses"},
		"no list of listeners":  {"", []subject{{around: surroundings{unlisted: true}}}, " What else listens in the pods could not be found out.", ""},
		"a mesh":                {"", []subject{{around: surroundings{meshed: true}}}, " A mesh proxy takes every connection to the pods, so it could not be told whether they can be entered past their gate.", ""},
		"a mesh that is blamed": {v1alpha1.ReasonMeshInTheWay, []subject{{around: surroundings{meshed: true}}}, "", ""},
		"no policies": {"", []subject{{around: surroundings{policy: v1alpha1.NetworkPolicyEnforced}}, {around: surroundings{policy: v1alpha1.NetworkPolicyNotEnforced}}},
			" This cluster does not enforce NetworkPolicies: only that no other port of the pods listens keeps others from going past the gate.", ""},
	} {
		before := judgement{status: metav1.ConditionTrue, reason: c.reason, message: "M."}
		got := before.noted(c.pods)
		if got.status != before.status || got.reason != before.reason || got.message != "M."+c.want || got.bare != c.bare {
			t.Errorf("%s: %s %q, bare %q", name, got.status, got.message, got.bare)
		}
	}
}

// One Event for each transition, a warning where it is to False, and none at the beginning.
func TestOneEventPerTransition(t *testing.T) {
	condition := func(status metav1.ConditionStatus, reason string) *metav1.Condition {
		return &metav1.Condition{Status: status, Reason: reason}
	}
	verdict := func(status metav1.ConditionStatus, reason string) judgement {
		return judgement{status: status, reason: reason, message: "M."}
	}
	proven, open := verdict(metav1.ConditionTrue, v1alpha1.ReasonProven), verdict(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted)
	none := verdict(metav1.ConditionUnknown, v1alpha1.ReasonNoPods)
	for name, c := range map[string]struct {
		before *metav1.Condition
		now    []judgement
		want   string // the first words of the only Event; empty for none
	}{
		"no pods yet":                        {nil, []judgement{none}, ""},
		"not tried yet":                      {condition(metav1.ConditionUnknown, v1alpha1.ReasonNoPods), []judgement{verdict(metav1.ConditionUnknown, v1alpha1.ReasonNotYetProbed)}, ""},
		"proven":                             {nil, []judgement{proven}, "Normal Proven AuthHealthy is True: M."},
		"told while the cache is behind":     {nil, []judgement{proven, proven}, "Normal Proven AuthHealthy is True: M."},
		"proven as before":                   {condition(metav1.ConditionTrue, v1alpha1.ReasonProven), []judgement{proven}, ""},
		"open":                               {condition(metav1.ConditionTrue, v1alpha1.ReasonProven), []judgement{open}, "Warning UnauthenticatedAccepted AuthHealthy is False: M."},
		"its pods are gone":                  {condition(metav1.ConditionTrue, v1alpha1.ReasonProven), []judgement{none}, "Normal NoPods AuthHealthy is Unknown: M."},
		"open in another way":                {condition(metav1.ConditionFalse, v1alpha1.ReasonInvalidTokenAccepted), []judgement{open}, "Warning UnauthenticatedAccepted AuthHealthy is False: M."},
		"open in the same way, by a restart": {condition(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted), []judgement{open}, ""},
	} {
		recorder := events.NewFakeRecorder(9)
		r := &Reconciler{Events: recorder}
		for _, now := range c.now {
			r.announce(&v1alpha1.MCPServer{}, c.before, now)
		}
		close(recorder.Events)
		var told []string
		for event := range recorder.Events {
			told = append(told, event)
		}
		if got := strings.Join(told, "\n"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
