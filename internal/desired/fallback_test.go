package desired_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/network"
)

// crashed is a pod whose lock was proven, and whose server has ended. Its gate runs, and is not ready without a server.
func crashed(change func(*corev1.Pod)) corev1.Pod {
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "tools", Name: "weather-1", UID: "u1"}}
	pod.Spec.NodeName = "node-1"
	pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: v1alpha1.ConditionPodAuthProven}}
	pod.Spec.InitContainers = []corev1.Container{{Name: desired.GateContainer, Ports: []corev1.ContainerPort{
		{Name: desired.GatePortName, ContainerPort: 8080}, {Name: desired.FallbackPortName, ContainerPort: 28080},
	}}}
	pod.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: "10.1.0.1", PodIPs: []corev1.PodIP{{IP: "10.1.0.1"}, {IP: "fd00::1"}},
		InitContainerStatuses: []corev1.ContainerStatus{{
			Name: desired.GateContainer, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}, Started: ptr.To(true),
		}},
		Conditions: []corev1.PodCondition{
			{Type: v1alpha1.ConditionPodAuthProven, Status: corev1.ConditionTrue},
			{Type: corev1.ContainersReady, Status: corev1.ConditionFalse}, {Type: corev1.PodReady, Status: corev1.ConditionFalse},
		},
	}
	change(&pod)
	return pod
}

func setCondition(pod *corev1.Pod, kind corev1.PodConditionType, status corev1.ConditionStatus) {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			pod.Status.Conditions[i].Status = status
		}
	}
}

func serviceOf(families ...corev1.IPFamily) corev1.Service {
	return corev1.Service{Spec: corev1.ServiceSpec{
		IPFamilies: families, Ports: []corev1.ServicePort{{Name: desired.GatePortName, Port: 80, AppProtocol: ptr.To("http")}},
	}}
}

// sum is one line per slice: its name, and the addresses in it.
func sum(t *testing.T, service corev1.Service, pods ...corev1.Pod) []string {
	t.Helper()
	var out []string
	for _, wanted := range network.Fallback(read(t, "testdata/generic/in.yaml"), service, pods) {
		slice, err := network.EndpointSlice(wanted)
		if err != nil {
			t.Fatal(err)
		}
		line := string(slice.AddressType) + " " + fmt.Sprint(*slice.Ports[0].Port)
		for _, endpoint := range slice.Endpoints {
			line += " " + strings.Join(endpoint.Addresses, ",")
		}
		out = append(out, line)
	}
	return out
}

// Each row is one pod beside one that is listed.
func TestFallbackListsProvenGates(t *testing.T) {
	now := metav1.Now()
	listed, alone := []string{"IPv4 28080 10.1.0.1 10.1.0.2"}, []string{"IPv4 28080 10.1.0.1"}
	for name, row := range map[string]struct {
		change func(*corev1.Pod)
		want   []string
	}{
		"its server is down": {func(*corev1.Pod) {}, listed},
		"it serves": {func(p *corev1.Pod) {
			setCondition(p, corev1.ContainersReady, corev1.ConditionTrue)
			setCondition(p, corev1.PodReady, corev1.ConditionTrue)
		}, listed},
		"its proof is withdrawn": {func(p *corev1.Pod) { setCondition(p, v1alpha1.ConditionPodAuthProven, corev1.ConditionFalse) }, alone},
		"it was never proven":    {func(p *corev1.Pod) { p.Status.Conditions = p.Status.Conditions[1:] }, alone},
		"it is ending":           {func(p *corev1.Pod) { p.DeletionTimestamp = &now }, alone},
		"it was evicted":         {func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }, alone},
		"it is over":             {func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }, alone},
		"its gate is down":       {func(p *corev1.Pod) { p.Status.InitContainerStatuses[0].State = corev1.ContainerState{} }, alone},
		"its gate starts":        {func(p *corev1.Pod) { p.Status.InitContainerStatuses[0].Started = ptr.To(false) }, alone},
		"another container runs": {func(p *corev1.Pod) { p.Status.InitContainerStatuses[0].Name = "other" }, alone},
		"its node is lost":       {func(p *corev1.Pod) { setCondition(p, corev1.ContainersReady, corev1.ConditionTrue) }, alone},
		"its lock was proven just now": {func(p *corev1.Pod) {
			setCondition(p, corev1.ContainersReady, corev1.ConditionTrue)
			setCondition(p, v1alpha1.ConditionPodAuthProven, corev1.ConditionFalse)
		}, alone},
		"it has no address":                {func(p *corev1.Pod) { p.Status.PodIPs = nil }, alone},
		"it has an IPv6 address only":      {func(p *corev1.Pod) { p.Status.PodIPs = []corev1.PodIP{{IP: "fd00::2"}} }, alone},
		"no slice can hold its address":    {func(p *corev1.Pod) { p.Status.PodIPs = []corev1.PodIP{{IP: "127.0.0.1"}} }, alone},
		"its gate has no fallback port":    {func(p *corev1.Pod) { p.Spec.InitContainers[0].Ports = p.Spec.InitContainers[0].Ports[:1] }, alone},
		"another container has that port":  {func(p *corev1.Pod) { p.Spec.InitContainers[0].Name = "other" }, alone},
		"its gate has another port for it": {func(p *corev1.Pod) { p.Spec.InitContainers[0].Ports[1].ContainerPort = 28081 }, []string{"IPv4 28080 10.1.0.1", "IPv4 28081 10.1.0.2"}},
	} {
		t.Run(name, func(t *testing.T) {
			first := crashed(func(*corev1.Pod) {})
			second := crashed(func(p *corev1.Pod) {
				p.Name, p.UID, p.Status.PodIPs = "weather-2", "u2", []corev1.PodIP{{IP: "10.1.0.2"}, {IP: "fd00::2"}}
				row.change(p)
			})
			if diff := cmp.Diff(row.want, sum(t, serviceOf(corev1.IPv4Protocol), second, first)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFallbackFollowsTheService(t *testing.T) {
	pod := crashed(func(*corev1.Pod) {})
	for name, row := range map[string]struct {
		service corev1.Service
		pods    []corev1.Pod
		want    []string
	}{
		"IPv4":               {serviceOf(corev1.IPv4Protocol), []corev1.Pod{pod}, []string{"IPv4 28080 10.1.0.1"}},
		"IPv6":               {serviceOf(corev1.IPv6Protocol), []corev1.Pod{pod}, []string{"IPv6 28080 fd00::1"}},
		"both":               {serviceOf(corev1.IPv6Protocol, corev1.IPv4Protocol), []corev1.Pod{pod}, []string{"IPv6 28080 fd00::1", "IPv4 28080 10.1.0.1"}},
		"no pods":            {serviceOf(corev1.IPv4Protocol), nil, nil},
		"no port of a gate":  {corev1.Service{Spec: corev1.ServiceSpec{IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol}}}, []corev1.Pod{pod}, nil},
		"no address as yet":  {serviceOf(), []corev1.Pod{pod}, nil},
		"more than it holds": {serviceOf(corev1.IPv4Protocol), many(101), []string{"IPv4 28080" + strings.Repeat(" 10.1.0.1", 100)}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, sum(t, row.service, row.pods...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func many(count int) []corev1.Pod {
	var out []corev1.Pod
	for i := range count {
		out = append(out, crashed(func(p *corev1.Pod) { p.Name, p.UID = fmt.Sprintf("weather-%d", i), types.UID(fmt.Sprint(i)) }))
	}
	return out
}

// Consumers of EndpointSlices take an endpoint like this one only while no other of the Service is ready.
func TestFallbackEndpointComesLast(t *testing.T) {
	slices := network.Fallback(read(t, "testdata/generic/in.yaml"), serviceOf(corev1.IPv4Protocol), []corev1.Pod{crashed(func(*corev1.Pod) {})})
	if len(slices) != 1 {
		t.Fatalf("got %d slices", len(slices))
	}
	slice, err := network.EndpointSlice(slices[0])
	if err != nil {
		t.Fatal(err)
	}
	want := []discoveryv1.Endpoint{{
		Addresses:  []string{"10.1.0.1"},
		Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(false), Serving: ptr.To(true), Terminating: ptr.To(true)},
		TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: "tools", Name: "weather-1", UID: "u1"},
		NodeName:   ptr.To("node-1"),
	}}
	if diff := cmp.Diff(want, slice.Endpoints); diff != "" {
		t.Error(diff)
	}
	if got := slice.Ports[0]; *got.Name != desired.GatePortName || *got.AppProtocol != "http" || *got.Protocol != corev1.ProtocolTCP {
		data, _ := json.Marshal(got)
		t.Errorf("got port %s", data)
	}
	server := read(t, "testdata/generic/in.yaml")
	if !metav1.IsControlledBy(&slice, server) || slice.Labels[discoveryv1.LabelServiceName] != server.Name ||
		slice.Labels[discoveryv1.LabelManagedBy] != network.FallbackManager || slice.Labels[v1alpha1.LabelServer] != server.Name {
		t.Errorf("got %v, owned by %v", slice.Labels, slice.OwnerReferences)
	}
}
