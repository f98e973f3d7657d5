package serverstatus

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	kstatus "sigs.k8s.io/cli-utils/pkg/kstatus/status"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/turnover"
	"github.com/mcp-gatehouse/gatehouse/internal/keyturn"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
)

var testTime = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newServer(replicas int32, conditions ...metav1.Condition) *v1alpha1.MCPServer {
	s := &v1alpha1.MCPServer{}
	s.Name, s.Namespace, s.UID, s.Generation = "x", "ns", "uid", 3
	s.Spec.Replicas = ptr.To(replicas)
	s.Status.Conditions = conditions
	return s
}

// deployment with wanted pods, of which so many are updated, exist in all, and are available.
func deployment(updated, replicas, available int32) *appsv1.Deployment {
	d := &appsv1.Deployment{}
	d.Generation = 1
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: 1, UpdatedReplicas: updated, Replicas: replicas, AvailableReplicas: available, ReadyReplicas: available}
	return d
}

func podWith(statuses ...corev1.ContainerStatus) corev1.Pod {
	pod := corev1.Pod{}
	pod.Name, pod.CreationTimestamp = "x-1", young
	pod.Status.ContainerStatuses = statuses
	return pod
}

var (
	young  = metav1.NewTime(testTime.Add(-time.Second))
	exited = podWith(corev1.ContainerStatus{Name: "mcp", RestartCount: 2, LastTerminationState: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Message: "Invalid configuration: CATALOG_URL is required"}}})
	noImage = podWith(corev1.ContainerStatus{Name: "mcp", State: corev1.ContainerState{
		Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "Back-off pulling image"}}})
	creating = podWith(corev1.ContainerStatus{Name: "mcp", State: corev1.ContainerState{
		Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}})
	portTaken = corev1.Pod{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: young}, Status: corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{{Name: "authproxy",
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 78, Message: "address already in use"}}}}}}
	pending = corev1.Pod{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: young}, Status: corev1.PodStatus{Conditions: []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/3 nodes are available"}}}}
	latePod = corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "x-2", CreationTimestamp: metav1.NewTime(testTime.Add(-time.Hour))}}

	refused = &appsv1.Deployment{Status: appsv1.DeploymentStatus{Conditions: []appsv1.DeploymentCondition{
		{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Message: `pods "x-1" is forbidden: exceeded quota`}}}}

	withdrawn = corev1.Pod{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: young}, Status: corev1.PodStatus{Conditions: []corev1.PodCondition{
		{Type: v1alpha1.ConditionPodAuthProven, Status: corev1.ConditionFalse}}}}
)

func TestConditions(t *testing.T) {
	auth := func(status metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: v1alpha1.ConditionAuthHealthy, Status: status, Reason: reason, Message: "said the prober"}
	}
	locked := auth(metav1.ConditionTrue, v1alpha1.ReasonProven)
	cases := map[string]struct {
		server      *v1alpha1.MCPServer
		seen        Seen
		wrong       *terminal.Error
		ready       string
		available   string
		reconciling string
		stalled     string
		// kstatus is what Helm and Flux make of it.
		kstatus kstatus.Status
	}{
		"all well":                  {newServer(2, locked), Seen{Deployment: deployment(2, 2, 2)}, nil, "True Ready", "True PodsAvailable", "", "", kstatus.CurrentStatus},
		"before the first apply":    {newServer(1), Seen{}, nil, "False Progressing", "False Progressing", "Progressing", "", kstatus.InProgressStatus},
		"not tried yet":             {newServer(1), Seen{Deployment: deployment(1, 1, 1)}, nil, "Unknown NotYetProbed", "True PodsAvailable", "", "", kstatus.InProgressStatus},
		"seen open":                 {newServer(1, auth(metav1.ConditionFalse, v1alpha1.ReasonInvalidTokenAccepted)), Seen{Deployment: deployment(1, 1, 1)}, nil, "False InvalidTokenAccepted", "True PodsAvailable", "", "", kstatus.InProgressStatus},
		"parked":                    {newServer(0, auth(metav1.ConditionUnknown, v1alpha1.ReasonScaledToZero)), Seen{Deployment: deployment(0, 0, 0)}, nil, "True ScaledToZero", "True ScaledToZero", "", "", kstatus.CurrentStatus},
		"server exits":              {newServer(1), Seen{Deployment: deployment(1, 1, 0), Pods: []corev1.Pod{exited}}, nil, "False ContainerExited", "False ContainerExited", "ContainerExited", "", kstatus.InProgressStatus},
		"no image":                  {newServer(1), Seen{Deployment: deployment(1, 1, 0), Pods: []corev1.Pod{noImage}}, nil, "False ContainerCannotStart", "False ContainerCannotStart", "ContainerCannotStart", "", kstatus.InProgressStatus},
		"starting":                  {newServer(1), Seen{Deployment: deployment(1, 1, 0), Pods: []corev1.Pod{creating}}, nil, "False Progressing", "False Progressing", "Progressing", "", kstatus.InProgressStatus},
		"gate's port taken":         {newServer(1), Seen{Deployment: deployment(1, 1, 0), Pods: []corev1.Pod{exited, portTaken}}, nil, "False GatePortTaken", "False GatePortTaken", "GatePortTaken", "", kstatus.InProgressStatus},
		"no node":                   {newServer(1), Seen{Deployment: deployment(1, 1, 0), Pods: []corev1.Pod{pending}}, nil, "False Unschedulable", "False Unschedulable", "Unschedulable", "", kstatus.InProgressStatus},
		"withdrawn":                 {newServer(1), Seen{Deployment: deployment(1, 1, 0), Pods: []corev1.Pod{withdrawn}}, nil, "False PodsUnavailable", "False PodsUnavailable", "Progressing", "", kstatus.InProgressStatus},
		"late":                      {newServer(1), Seen{Deployment: deployment(1, 1, 0), Pods: []corev1.Pod{latePod}}, nil, "False PodsUnavailable", "False PodsUnavailable", "Progressing", "", kstatus.InProgressStatus},
		"new revision cannot start": {newServer(1, locked), Seen{Deployment: deployment(1, 2, 1), Pods: []corev1.Pod{noImage}}, nil, "True Ready", "True PodsAvailable", "ContainerCannotStart", "", kstatus.InProgressStatus},
		"Deployment not yet Seen":   {newServer(1, locked), Seen{Deployment: &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Generation: 2}, Status: deployment(1, 1, 1).Status}}, nil, "True Ready", "True PodsAvailable", "Progressing", "", kstatus.InProgressStatus},
		"foreign object": {newServer(1, locked), Seen{Deployment: deployment(1, 1, 1)}, &terminal.Error{Condition: v1alpha1.ConditionAccepted, Reason: v1alpha1.ReasonNameTaken, Message: "it is there"},
			"False NameTaken", "True PodsAvailable", "", "NameTaken", kstatus.FailedStatus},
		"broken keys": {newServer(1, locked), Seen{Deployment: deployment(1, 1, 1)}, &terminal.Error{Condition: v1alpha1.ConditionKeysReady, Reason: v1alpha1.ReasonKeysUnusable, Message: "not JSON"},
			"False KeysUnusable", "True PodsAvailable", "", "KeysUnusable", kstatus.FailedStatus},
		"would unlock": {newServer(1, locked), Seen{Deployment: deployment(1, 1, 1)}, &terminal.Error{Condition: v1alpha1.ConditionAccepted, Reason: v1alpha1.ReasonGateBypass, Message: "hostNetwork"},
			"False GateBypass", "True PodsAvailable", "", "GateBypass", kstatus.FailedStatus},
		"pods refused": {newServer(1), Seen{Deployment: refused}, nil, "False PodsRefused", "False PodsRefused", "PodsRefused", "", kstatus.InProgressStatus},
		"unparked, and not tried since": {newServer(1, auth(metav1.ConditionUnknown, v1alpha1.ReasonScaledToZero)), Seen{Deployment: deployment(1, 1, 1)}, nil,
			"Unknown ScaledToZero", "True PodsAvailable", "", "", kstatus.InProgressStatus},
		"parked, and a pod that ends is open": {newServer(0, auth(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted)), Seen{Deployment: deployment(0, 0, 0)}, nil,
			"False UnauthenticatedAccepted", "True ScaledToZero", "", "", kstatus.InProgressStatus},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := Conditions(c.server, c.seen, c.wrong, testTime)
			say := func(kind string) string {
				found := meta.FindStatusCondition(got, kind)
				if found == nil {
					return ""
				}
				if found.ObservedGeneration != 3 || found.LastTransitionTime.IsZero() {
					t.Errorf("%s: generation %d, transition %v", kind, found.ObservedGeneration, found.LastTransitionTime)
				}
				if kind == v1alpha1.ConditionReconciling || kind == v1alpha1.ConditionStalled {
					return strings.TrimPrefix(string(found.Status)+" "+found.Reason, "True ")
				}
				return string(found.Status) + " " + found.Reason
			}
			for kind, want := range map[string]string{
				v1alpha1.ConditionReady: c.ready, v1alpha1.ConditionAvailable: c.available,
				v1alpha1.ConditionReconciling: c.reconciling, v1alpha1.ConditionStalled: c.stalled,
			} {
				if said := say(kind); said != want {
					t.Errorf("%s is %q, want %q", kind, said, want)
				}
			}
			if meta.FindStatusCondition(got, v1alpha1.ConditionAuthHealthy) != nil {
				t.Error("AuthHealthy is written here; it belongs to the other controller")
			}
			if judged := judgedBy(t, c.server, got); judged != c.kstatus {
				t.Errorf("kstatus says %s, want %s", judged, c.kstatus)
			}
		})
	}
}

func TestKeysOfASpecThatIsNotCarriedOut(t *testing.T) {
	wrong := &terminal.Error{Condition: v1alpha1.ConditionAccepted, Reason: v1alpha1.ReasonNameTaken, Message: "it is there"}
	for version, want := range map[string]string{"": v1alpha1.ReasonKeysPending, "7": v1alpha1.ReasonKeysPublished} {
		got := Conditions(newServer(1), Seen{Versions: map[string]string{"x-keys": version}}, wrong, testTime)
		if c := meta.FindStatusCondition(got, v1alpha1.ConditionKeysReady); c.Reason != want {
			t.Errorf("Secret at version %q: %s, want %s", version, c.Reason, want)
		}
	}
}

// judgedBy gives what kstatus makes of the server with these conditions.
func judgedBy(t *testing.T, server *v1alpha1.MCPServer, conditions []metav1.Condition) kstatus.Status {
	t.Helper()
	server.Status.Conditions, server.Status.ObservedGeneration = conditions, server.Generation
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(server)
	if err != nil {
		t.Fatal(err)
	}
	result, err := kstatus.Compute(&unstructured.Unstructured{Object: content})
	if err != nil {
		t.Fatal(err)
	}
	return result.Status
}

func TestTransitionTimeMovesWithTheStatusOnly(t *testing.T) {
	earlier := metav1.NewTime(testTime.Add(-time.Hour))
	before := metav1.Condition{Type: v1alpha1.ConditionAvailable, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonProgressing, LastTransitionTime: earlier}
	still := Conditions(newServer(1, before), Seen{Deployment: deployment(1, 1, 0), Pods: []corev1.Pod{exited}}, nil, testTime)
	if got := meta.FindStatusCondition(still, v1alpha1.ConditionAvailable); !got.LastTransitionTime.Equal(&earlier) || got.Reason != v1alpha1.ReasonContainerExited {
		t.Errorf("still False: %+v", got)
	}
	turned := Conditions(newServer(1, before), Seen{Deployment: deployment(1, 1, 1)}, nil, testTime)
	if got := meta.FindStatusCondition(turned, v1alpha1.ConditionAvailable); !got.LastTransitionTime.Time.Equal(testTime) {
		t.Errorf("now True: %+v", got)
	}
}

func TestDiagnosisNamesExitCodeAndVariable(t *testing.T) {
	got := Conditions(newServer(1), Seen{Deployment: deployment(1, 1, 0), Pods: []corev1.Pod{exited}}, nil, testTime)
	message := meta.FindStatusCondition(got, v1alpha1.ConditionAvailable).Message
	for _, want := range []string{"pod x-1", "container mcp", "code 1", "2 restarts", "CATALOG_URL"} {
		if !strings.Contains(message, want) {
			t.Errorf("%q is missing in: %s", want, message)
		}
	}
}

// Until every pod has told, as after a start of the operator, what status says of a key stands; a key that it does not
// list yet has nothing to stand on.
func TestLoadedBy(t *testing.T) {
	x := newServer(3)
	x.Status.Keys = []v1alpha1.KeyStatus{{Provider: "corp", KID: "kid", ObservedPods: ptr.To[int32](3)}}
	told := map[string]map[string]int32{"corp": {"kid": 1, "new": 1}}
	for _, c := range []struct {
		name, kid string
		pods      int
		allTold   bool
		want      int32
	}{
		{"some have yet to tell", "kid", 3, false, 3},
		{"a pod is gone", "kid", 2, false, 2},
		{"all have told", "kid", 3, true, 1},
		{"a new key", "new", 3, false, 1},
		{"another key", "other", 3, true, 0},
	} {
		seen := Seen{Loaded: told, AllTold: c.allTold, Pods: make([]corev1.Pod, c.pods)}
		if got := loadedBy(x, seen, "corp", c.kid); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// What the operator itself knows to be secret is in no message, whatever form it has.
func TestDiagnosisHidesTheServersKeys(t *testing.T) {
	key, err := keys.Generate(keys.ES256)
	if err != nil {
		t.Fatal(err)
	}
	const words, gate = "correct horse battery staple and some more", "gates own secret of words, as long as 32"
	seen := Seen{
		Deployment: deployment(1, 1, 0), GateSecret: keyturn.GateSecret{Next: turnover.Set{Current: turnover.Generation{Secret: []byte(gate)}}}, Managed: keyturn.Managed{Private: map[string][]keys.Private{"managed": {key}}},
		Public: map[string][]keys.Public{"shared": {{Key: []byte(words)}}},
	}
	for name, said := range map[string]string{
		"shared": "invalid value " + words, "gate": "invalid value " + gate,
		"managed": "invalid value " + base64.RawURLEncoding.EncodeToString(key.Secret()),
	} {
		pod := *exited.DeepCopy()
		pod.Status.ContainerStatuses[0].LastTerminationState.Terminated.Message = said
		seen.Pods = []corev1.Pod{pod}
		message := meta.FindStatusCondition(Conditions(newServer(1), seen, nil, testTime), v1alpha1.ConditionAvailable).Message
		if !strings.Contains(message, `"invalid value [redacted]"`) {
			t.Errorf("%s: %s", name, message)
		}
		if pod.Status.ContainerStatuses[0].LastTerminationState.Terminated.Message != said {
			t.Errorf("%s: the pod was changed", name)
		}
	}
}

func TestAddressGoesByTheSpecInForce(t *testing.T) {
	changed, before := newServer(1), newServer(1)
	changed.Spec.Path = "/new"
	changed.Spec.Route = &v1alpha1.Route{Hostnames: []string{"tools.example.com"}}
	problemOf := func(reason string) *terminal.Error {
		return &terminal.Error{Condition: v1alpha1.ConditionAccepted, Reason: reason, Message: "why"}
	}
	const inside = "http://x.ns.svc:8080"
	for name, c := range map[string]struct {
		seen  Seen
		wrong *terminal.Error
		want  string
	}{
		"carried out":                            {Seen{}, nil, inside + "/new"},
		"its route was accepted":                 {Seen{RouteAccepted: true}, nil, "https://tools.example.com/new"},
		"its route leads to another server":      {Seen{RouteAccepted: true}, problemOf(v1alpha1.ReasonRouteConflict), inside + "/new"},
		"there are no routes":                    {Seen{}, problemOf(v1alpha1.ReasonRouteUnsupported), inside + "/new"},
		"the change is not carried out":          {Seen{InForce: before}, problemOf(v1alpha1.ReasonInvalidSpec), inside + "/mcp"},
		"nothing of the spec was ever in force":  {Seen{}, problemOf(v1alpha1.ReasonInvalidSpec), ""},
		"its keys are missing, and it was there": {Seen{InForce: before}, &terminal.Error{Condition: v1alpha1.ConditionKeysReady, Reason: v1alpha1.ReasonKeyMissing, Message: "why"}, inside + "/mcp"},
	} {
		status := Of(changed, c.seen, "image", c.wrong, testTime)
		got := ""
		if status.Address != nil {
			got = *status.Address.URL
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
