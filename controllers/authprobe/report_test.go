package authprobe

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/servicehealth"
)

// Nothing is said of a server that begins, for a while, unless there is something to say.
func TestSilence(t *testing.T) {
	accepted := func(age time.Duration) metav1.Condition {
		return metav1.Condition{Type: v1alpha1.ConditionAccepted, LastTransitionTime: metav1.NewTime(noon.Add(-age))}
	}
	tried := authhealth.Findings{"a": {Standing: &authhealth.Evidence{Grade: authhealth.Unknown}}}
	for name, c := range map[string]struct {
		conditions []metav1.Condition
		replicas   *int32
		findings   authhealth.Findings
		service    servicehealth.View
		want       time.Duration
	}{
		"its pods are sooner known":   {nil, nil, nil, servicehealth.View{}, 10 * time.Second},
		"it begins":                   {[]metav1.Condition{accepted(3 * time.Second)}, nil, authhealth.Findings{"a": {}}, servicehealth.View{}, 7 * time.Second},
		"it should have begun":        {[]metav1.Condition{accepted(10 * time.Second)}, nil, nil, servicehealth.View{}, 0},
		"there is evidence":           {[]metav1.Condition{accepted(0)}, nil, tried, servicehealth.View{}, 0},
		"its Service leads elsewhere": {[]metav1.Condition{accepted(0)}, nil, nil, servicehealth.View{Finding: &authhealth.ServiceFinding{}}, 0},
		"it is parked":                {[]metav1.Condition{accepted(0)}, ptr.To(int32(0)), nil, servicehealth.View{}, 0},
		"something was said before":   {[]metav1.Condition{accepted(0), {Type: v1alpha1.ConditionAuthHealthy}}, nil, nil, servicehealth.View{}, 0},
	} {
		server := &v1alpha1.MCPServer{}
		server.Spec.Replicas, server.Status.Conditions = c.replicas, c.conditions
		if got := silence(server, c.findings, c.service, noon); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// Status is written for each change of what it says, and else as a heartbeat.
func TestStatusIsWrittenForNews(t *testing.T) {
	server := &v1alpha1.MCPServer{}
	server.Generation = 3
	failures := []v1alpha1.AuthFailure{{Pod: "b", Case: "none"}}
	server.Status.AuthHealth = &v1alpha1.AuthHealth{
		Pods: 2, ProvenPods: 1, NetworkPolicy: v1alpha1.NetworkPolicyEnforced, BareServer: authhealth.NotAsked, Failures: failures, LastProbeTime: metav1.NewTime(noon),
	}
	before := metav1.Condition{Status: metav1.ConditionFalse, Reason: "R", Message: "M", ObservedGeneration: 3}
	for name, change := range map[string]func(*authhealth.Judgement, *metav1.Condition){
		"":                func(*authhealth.Judgement, *metav1.Condition) {},
		"its status":      func(v *authhealth.Judgement, _ *metav1.Condition) { v.Status = metav1.ConditionUnknown },
		"its reason":      func(v *authhealth.Judgement, _ *metav1.Condition) { v.Reason = "S" },
		"its message":     func(v *authhealth.Judgement, _ *metav1.Condition) { v.Message = "N" },
		"the pods":        func(v *authhealth.Judgement, _ *metav1.Condition) { v.Pods++ },
		"the proven pods": func(v *authhealth.Judgement, _ *metav1.Condition) { v.ProvenPods++ },
		"what fails": func(v *authhealth.Judgement, _ *metav1.Condition) {
			v.Failures = []v1alpha1.AuthFailure{{Pod: "b", Case: "malformed"}}
		},
		"nothing fails":        func(v *authhealth.Judgement, _ *metav1.Condition) { v.Failures = nil },
		"the policy":           func(v *authhealth.Judgement, _ *metav1.Condition) { v.Policy = v1alpha1.NetworkPolicyUnknown },
		"the bare server":      func(v *authhealth.Judgement, _ *metav1.Condition) { v.Bare = "Open" },
		"the spec it is about": func(_ *authhealth.Judgement, c *metav1.Condition) { c.ObservedGeneration = 2 },
	} {
		verdict, condition := authhealth.Judgement{
			Status: metav1.ConditionFalse, Reason: "R", Message: "M", Pods: 2, ProvenPods: 1, Failures: failures,
			Policy: v1alpha1.NetworkPolicyEnforced, Bare: authhealth.NotAsked,
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

// One Event for each transition, a warning where it is to False, and none at the beginning.
func TestOneEventPerTransition(t *testing.T) {
	condition := func(status metav1.ConditionStatus, reason string) *metav1.Condition {
		return &metav1.Condition{Status: status, Reason: reason}
	}
	verdict := func(status metav1.ConditionStatus, reason string) authhealth.Judgement {
		return authhealth.Judgement{Status: status, Reason: reason, Message: "M."}
	}
	proven, open := verdict(metav1.ConditionTrue, v1alpha1.ReasonProven), verdict(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted)
	none := verdict(metav1.ConditionUnknown, v1alpha1.ReasonNoPods)
	for name, c := range map[string]struct {
		before *metav1.Condition
		now    []authhealth.Judgement
		want   string // the first words of the only Event; empty for none
	}{
		"no pods yet":                        {nil, []authhealth.Judgement{none}, ""},
		"not tried yet":                      {condition(metav1.ConditionUnknown, v1alpha1.ReasonNoPods), []authhealth.Judgement{verdict(metav1.ConditionUnknown, v1alpha1.ReasonNotYetProbed)}, ""},
		"proven":                             {nil, []authhealth.Judgement{proven}, "Normal Proven AuthHealthy is True: M."},
		"told while the cache is behind":     {nil, []authhealth.Judgement{proven, proven}, "Normal Proven AuthHealthy is True: M."},
		"proven as before":                   {condition(metav1.ConditionTrue, v1alpha1.ReasonProven), []authhealth.Judgement{proven}, ""},
		"open":                               {condition(metav1.ConditionTrue, v1alpha1.ReasonProven), []authhealth.Judgement{open}, "Warning UnauthenticatedAccepted AuthHealthy is False: M."},
		"its pods are gone":                  {condition(metav1.ConditionTrue, v1alpha1.ReasonProven), []authhealth.Judgement{none}, "Normal NoPods AuthHealthy is Unknown: M."},
		"open in another way":                {condition(metav1.ConditionFalse, v1alpha1.ReasonInvalidTokenAccepted), []authhealth.Judgement{open}, "Warning UnauthenticatedAccepted AuthHealthy is False: M."},
		"open in the same way, by a restart": {condition(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted), []authhealth.Judgement{open}, ""},
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

func TestRejectionIsNewsOnce(t *testing.T) {
	var l findingStore
	name := types.NamespacedName{Name: "x"}
	for i, c := range []struct {
		note string
		want bool
	}{{"", false}, {"a", true}, {"a", false}, {"", false}, {"a", true}, {"b", true}} {
		if got := l.reject(name, c.note); got != c.want {
			t.Errorf("step %d, %q: %v", i, c.note, got)
		}
	}
}
