package statusreport_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/statusreport"
)

var update = flag.Bool("update", false, "write the golden files anew")

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }

func condition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: 2, LastTransitionTime: before(3 * time.Minute),
	}
}

// proven is a server whose lock was seen to hold.
func proven() v1alpha1.MCPServer {
	return v1alpha1.MCPServer{
		ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "everything", UID: "1", Generation: 2},
		Spec:       v1alpha1.MCPServerSpec{Image: "registry.example/everything:v1"},
		Status: v1alpha1.MCPServerStatus{
			Conditions: []metav1.Condition{ // not in their order
				condition("AuthHealthy", "True", "Proven", "Every pod refused."),
				condition("Accepted", "True", "Accepted", ""),
				condition("KeysReady", "True", "KeysPublished", ""),
				condition("Available", "True", "PodsAvailable", "1 of 1 pods serve."),
				condition("Ready", "True", "Ready", "All is well."),
			},
			Address: &v1alpha1.Address{URL: "http://everything.demo.svc:8080/mcp"}, ReadyReplicas: 1, GateImage: "registry.example/authproxy:v1",
			Replicas:   1,
			Keys:       []v1alpha1.KeyStatus{{Provider: "managed", KID: "kid-1", Algorithm: "EdDSA"}, {Provider: "managed", KID: "kid-2"}},
			AuthHealth: &v1alpha1.AuthHealth{LastProbeTime: before(12 * time.Second), Pods: 1, ProvenPods: 1},
			ServerInfo: &v1alpha1.ServerInfo{Name: "everything", Version: "1.2", ProtocolVersion: "2025-11-25"},
		},
	}
}

// open is a server one of whose pods lets somebody in.
func open() v1alpha1.MCPServer {
	server := proven()
	server.Name, server.Spec.Replicas = "open", ptr.To[int32](2)
	message := "Pod open-b: a request without a token: expected 401 with a Bearer challenge and reason missing_token, saw 200, " +
		"a JSON-RPC result. Asked again at once, the same, while a valid token passed: the gate is open."
	server.Status.Conditions = []metav1.Condition{
		condition("Ready", "False", "UnauthenticatedAccepted", message),
		condition("Accepted", "True", "Accepted", ""),
		condition("KeysReady", "True", "KeysPublished", ""),
		condition("Available", "False", "PodsUnavailable", "1 of 2 pods serve."),
		condition("AuthHealthy", "False", "UnauthenticatedAccepted", message),
		condition("Reconciling", "True", "PodsUnavailable", "1 of 2 pods serve."),
	}
	server.Status.Replicas, server.Status.AuthHealth.Pods = 4, 2
	server.Status.AuthHealth.NetworkPolicy = v1alpha1.NetworkPolicyNotEnforced
	server.Status.AuthHealth.BareServer = "Resets"
	server.Status.AuthHealth.Failures = []v1alpha1.AuthFailure{{
		Pod: "open-b", Case: "none", Expected: "401 with a Bearer challenge and reason missing_token", Seen: "200, a JSON-RPC result",
	}}
	return server
}

// rotating is a server whose key is being replaced, while another one was revoked, and whose route nobody has taken yet.
func rotating() v1alpha1.MCPServer {
	server := proven()
	server.Name, server.Spec.Replicas = "rotating", ptr.To[int32](3)
	server.Spec.Route = &v1alpha1.Route{Hostnames: []string{"mcp.example.com"}}
	server.Status.Replicas, server.Status.ReadyReplicas = 3, 3
	server.Status.Conditions[2] = condition("KeysReady", "True", "KeysRotating",
		"The new key kid-4 is published. It signs once every pod was seen to accept it: rotating-c to come.")
	server.Status.Keys = []v1alpha1.KeyStatus{
		{Provider: "corp", KID: "theirs", Algorithm: "RS256", ObservedPods: ptr.To[int32](3)},
		{Provider: "managed", KID: "kid-1", Algorithm: "EdDSA", Phase: v1alpha1.KeyRetired, Since: before(26 * time.Hour), RefusedTime: before(25 * time.Hour)},
		{Provider: "managed", KID: "kid-2", Algorithm: "EdDSA", Phase: v1alpha1.KeyRevoked, Since: before(3 * time.Second), ObservedPods: ptr.To[int32](1)},
		{Provider: "managed", KID: "kid-3", Algorithm: "EdDSA", Phase: v1alpha1.KeySigning, Since: before(48 * time.Hour)},
		{Provider: "managed", KID: "kid-4", Algorithm: "EdDSA", Phase: v1alpha1.KeyPublished, Since: before(5 * time.Second), ObservedPods: ptr.To[int32](2)},
	}
	return server
}

// events are more than are shown, in both forms and in no order.
func events() []corev1.Event {
	var out []corev1.Event
	for i, message := range []string{"the newest", "second", "third", "fourth", "fifth", "too old to be shown"} {
		at := before(time.Duration(i) * time.Minute)
		out = append(out, corev1.Event{Type: corev1.EventTypeNormal, Reason: "Ready", Message: message, EventTime: metav1.NewMicroTime(at.Time)})
	}
	out[1].EventTime, out[1].LastTimestamp, out[1].Count, out[1].Type = metav1.MicroTime{}, before(time.Minute), 3, corev1.EventTypeWarning
	out[4].EventTime = metav1.NewMicroTime(before(time.Hour).Time)
	out[4].Series = &corev1.EventSeries{Count: 17, LastObservedTime: metav1.NewMicroTime(before(4 * time.Minute).Time)}
	slices.Reverse(out)
	return out
}

// forgotten is a server that nobody has looked at for two hours, and whose spec has changed since.
func forgotten() v1alpha1.MCPServer {
	server := proven()
	server.Name, server.Generation = "forgotten", 3
	server.Status.AuthHealth.LastProbeTime = before(2 * time.Hour)
	return server
}

// fresh is a server that no operator has seen.
func fresh() v1alpha1.MCPServer {
	return v1alpha1.MCPServer{
		ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "fresh", UID: "1", Generation: 1, CreationTimestamp: before(time.Minute)},
		Spec:       v1alpha1.MCPServerSpec{Image: "registry.example/fresh"},
		Status: v1alpha1.MCPServerStatus{Conditions: []metav1.Condition{{
			Type: "Ready", Status: "Unknown", Reason: "Pending", Message: "No operator has looked at this MCPServer yet.",
			LastTransitionTime: metav1.Unix(0, 0), // as the schema has it
		}}},
	}
}

// warned is a server all of whose conditions are True, and of which people have to know something all the same.
func warned() v1alpha1.MCPServer {
	server := proven()
	server.Name = "warned"
	server.Status.Conditions[0].Message = "1 of 1 pods refused every bad token for the right reason and let the good one in. " +
		"Tried with the operator's probe key: corp; the keys of the issuer are loaded. Every client with a token of provider corp was " +
		"refused since 2026-03-01T11:40:00Z (wrong_audience), and none let in: if they are yours, compare their tokens with what the " +
		"spec says of that provider."
	server.Status.Conditions = append(server.Status.Conditions, condition("ClientsRefused", "True", "ProviderRejectsEveryone",
		"Every client with a token of provider corp was refused since 2026-03-01T11:40:00Z (wrong_audience), and none let in: if they "+
			"are yours, compare their tokens with what the spec says of that provider."))
	server.Status.Conditions[2].Message = "Every provider has its keys. Not used, as they are at fault: key old of provider corp is too weak."
	return server
}

// invalid is a server of which no key was made, as its spec cannot be carried out.
func invalid() v1alpha1.MCPServer {
	server := fresh()
	server.Name = "invalid"
	server.Status.Conditions = append(server.Status.Conditions,
		condition("KeysReady", "False", "KeysPending", "No key is made before the spec can be carried out."))
	return server
}

// stuck is a server that serves, with its old pods, because the new ones of an upgrade do not start.
func stuck() v1alpha1.MCPServer {
	server := proven()
	server.Name = "stuck"
	server.Status.Conditions = append(server.Status.Conditions, condition("Reconciling", "True", "ContainerExited",
		"No new pod has become available for ten minutes. 1 of 1 pods are of the newest revision, 1 pods are available; pod stuck-b: "+
			"container mcp exited with code 1: \"KeyError: 'REGION'\"."))
	server.Status.Conditions[5].LastTransitionTime = before(25 * time.Minute)
	server.Status.Replicas = 2
	return server
}

// undated is a server of which nothing has a time, and one is in the future by the clock of this machine.
func undated() v1alpha1.MCPServer {
	server := proven()
	server.Name = "undated"
	for i := range server.Status.Conditions {
		server.Status.Conditions[i].LastTransitionTime = metav1.Time{}
	}
	server.Status.Conditions[0].LastTransitionTime = metav1.NewTime(now.Add(7 * time.Second))
	server.Status.AuthHealth.LastProbeTime = metav1.NewTime(now.Add(7 * time.Second))
	return server
}

func pod(name string, change func(*corev1.Pod)) corev1.Pod {
	out := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: "demo", CreationTimestamp: before(time.Hour),
			Labels:          map[string]string{v1alpha1.LabelInstance: "1", "pod-template-hash": "5d4"},
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "open-5d4", Controller: ptr.To(true)}},
		},
		Spec: corev1.PodSpec{NodeName: "node-1"},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning,
			Conditions: []corev1.PodCondition{
				{Type: corev1.PodReady, Status: corev1.ConditionTrue}, {Type: v1alpha1.ConditionPodAuthProven, Status: corev1.ConditionTrue, Reason: "Proven"},
			},
			InitContainerStatuses: []corev1.ContainerStatus{{Name: "authproxy", RestartCount: 1}},
			ContainerStatuses:     []corev1.ContainerStatus{{Name: "mcp", RestartCount: 2}},
		},
	}
	if change != nil {
		change(&out)
	}
	return out
}

func pods() []corev1.Pod {
	return []corev1.Pod{
		pod("open-b", func(p *corev1.Pod) {
			p.Status.Conditions[0].Status = corev1.ConditionFalse
			p.Status.Conditions[1].Status, p.Status.Conditions[1].Reason = corev1.ConditionFalse, "UnauthenticatedAccepted"
		}),
		pod("open-a", nil),
		pod("open-c", func(p *corev1.Pod) {
			p.Spec.NodeName, p.Status.Phase, p.Status.Conditions = "", corev1.PodPending, nil
			p.Status.ContainerStatuses[0].State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}
		}),
		pod("open-d", func(p *corev1.Pod) { p.DeletionTimestamp = ptr.To(before(time.Second)) }),
		pod("former", func(p *corev1.Pod) { p.Labels[v1alpha1.LabelInstance] = "2" }),
		pod("stranger-a", func(p *corev1.Pod) { p.OwnerReferences = nil }),
		pod("stranger-b", func(p *corev1.Pod) {
			p.OwnerReferences = []metav1.OwnerReference{{Kind: "StatefulSet", Name: "thief", Controller: ptr.To(true)}}
		}),
		pod("stranger-c", func(p *corev1.Pod) { p.OwnerReferences[0].Name = "openly-5d4" }),
	}
}

// ofDeployment is a pod as the Deployment of a server makes them.
func ofDeployment(server string) corev1.Pod {
	return pod(server+"-a", func(p *corev1.Pod) { p.OwnerReferences[0].Name = server + "-5d4" })
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update writes it anew):\n%s", path, got)
	}
}

func TestDetails(t *testing.T) {
	for name, c := range map[string]struct {
		server v1alpha1.MCPServer
		around statusreport.Around
	}{
		"proven.txt":    {proven(), statusreport.Around{Pods: []corev1.Pod{ofDeployment("everything")}}},
		"open.txt":      {open(), statusreport.Around{Pods: pods(), Events: events()}},
		"forgotten.txt": {forgotten(), statusreport.Around{}},
		"fresh.txt":     {fresh(), statusreport.Around{}},
		"rotating.txt":  {rotating(), statusreport.Around{}},
		"warned.txt":    {warned(), statusreport.Around{NotShown: []string{statusreport.Pods, statusreport.Events}}},
		"stuck.txt":     {stuck(), statusreport.Around{}},
		"undated.txt": {undated(), statusreport.Around{
			Pods: []corev1.Pod{pod("undated-a", func(p *corev1.Pod) { p.CreationTimestamp = metav1.Time{} })}, Events: []corev1.Event{{Message: "undated"}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := statusreport.Details(&out, statusreport.Of(c.server, c.around, now), now); err != nil {
				t.Fatal(err)
			}
			golden(t, name, out.Bytes())
		})
	}
}

// Rows that come later stand under the columns of those before.
func TestOverview(t *testing.T) {
	for name, namespaces := range map[string]bool{"overview.txt": false, "overview-all.txt": true} {
		overview := statusreport.Overview{Namespaces: namespaces}
		var out bytes.Buffer
		for _, batch := range [][]v1alpha1.MCPServer{{proven(), open(), forgotten(), fresh(), rotating(), warned(), stuck()}, {proven()}} {
			var servers []statusreport.Server
			for _, server := range batch {
				servers = append(servers, statusreport.Of(server, statusreport.Around{}, now))
			}
			if err := overview.Write(&out, servers, now); err != nil {
				t.Fatal(err)
			}
		}
		golden(t, name, out.Bytes())
	}
}

func TestJSON(t *testing.T) {
	text, err := json.MarshalIndent(statusreport.Of(open(), statusreport.Around{Pods: pods()[:1], Events: events()[3:5]}, now), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "open.json", append(text, '\n'))
}

func TestKeys(t *testing.T) {
	for name, server := range map[string]v1alpha1.MCPServer{"keys.txt": rotating(), "keys-none.txt": fresh(), "keys-pending.txt": invalid()} {
		var out bytes.Buffer
		if err := statusreport.KeysOf(server).Write(&out, now); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.Bytes())
	}
	text, err := json.MarshalIndent(statusreport.KeysOf(rotating()), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "keys.json", append(text, '\n'))
}

func TestKeySteps(t *testing.T) {
	var out bytes.Buffer
	all := append(rotating().Status.Keys, v1alpha1.KeyStatus{KID: "kid-5", Phase: v1alpha1.KeyRetiring},
		v1alpha1.KeyStatus{KID: "kid-6", Phase: v1alpha1.KeyRetired, ObservedPods: ptr.To[int32](0)})
	for _, key := range all {
		fmt.Fprintln(&out, statusreport.KeyStep(key, 3))
	}
	golden(t, "key-steps.txt", out.Bytes())
}

// Evidence is stale after twenty minutes, or two intervals.
func TestStale(t *testing.T) {
	for _, c := range []struct {
		age      time.Duration
		interval *int32
		want     bool
	}{
		{20 * time.Minute, nil, false},
		{21 * time.Minute, nil, true},
		{21 * time.Minute, ptr.To[int32](30), true},
		{time.Hour, ptr.To[int32](3600), false},
		{2*time.Hour + time.Minute, ptr.To[int32](3600), true},
	} {
		server := proven()
		server.Spec.AuthProbe = &v1alpha1.AuthProbe{IntervalSeconds: c.interval}
		server.Status.AuthHealth.LastProbeTime = before(c.age)
		if got := statusreport.Of(server, statusreport.Around{}, now).Evidence; got.Stale != c.want || got.AgeSeconds != int64(c.age.Seconds()) {
			t.Errorf("%s at %v: %+v", c.age, c.interval, got)
		}
	}
}
