package servicehealth

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/network"
)

// Each row is one endpoint of the Service; want is what is told of it once it has been so for long enough.
func TestStrays(t *testing.T) {
	server := &v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Name: "weather", UID: "u"}}
	pod := func(name, ip string, gate corev1.ConditionStatus) corev1.Pod {
		p := corev1.Pod{Status: corev1.PodStatus{PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}}}}
		p.Name = name
		p.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: v1alpha1.ConditionPodAuthProven}}
		p.Spec.InitContainers = []corev1.Container{{Name: desired.GateContainer, Ports: []corev1.ContainerPort{
			{Name: desired.GatePortName, ContainerPort: 8080}, {Name: desired.FallbackPortName, ContainerPort: 28080},
		}}}
		p.Status.Conditions = []corev1.PodCondition{{Type: v1alpha1.ConditionPodAuthProven, Status: gate}}
		return p
	}
	free := pod("free", "10.0.0.3", corev1.ConditionFalse)
	free.Spec.ReadinessGates = nil
	pods := []corev1.Pod{pod("proven", "10.0.0.1", corev1.ConditionTrue), pod("held", "10.0.0.2", corev1.ConditionFalse), free}
	ready, notReady := discoveryv1.EndpointConditions{}, discoveryv1.EndpointConditions{Ready: ptr.To(false), Serving: ptr.To(false), Terminating: ptr.To(false)}
	last := discoveryv1.EndpointConditions{Ready: ptr.To(false), Serving: ptr.To(true), Terminating: ptr.To(true)}
	for name, c := range map[string]struct {
		address    string
		port       int32
		conditions discoveryv1.EndpointConditions
		manager    string
		owned      bool
		want       string
	}{
		"a proven pod":                             {"10.0.0.1", 8080, ready, endpointSliceManager, false, ""},
		"a pod that is held back":                  {"10.0.0.2", 8080, ready, endpointSliceManager, false, "pod held, whose lock was not proven"},
		"a pod that needs no proof":                {"10.0.0.3", 8080, ready, endpointSliceManager, false, ""},
		"somebody else's":                          {"10.0.0.4", 8080, ready, endpointSliceManager, false, "no pod of this server"},
		"somebody else's that is not ready":        {"10.0.0.4", 8080, notReady, "me", false, ""},
		"somebody else's that comes last":          {"10.0.0.4", 28080, last, "me", false, "no pod of this server"},
		"the fallback to a proven pod":             {"10.0.0.1", 28080, last, network.FallbackManager, true, ""},
		"the fallback to a pod that is held back":  {"10.0.0.2", 28080, last, network.FallbackManager, true, "whose lock was not proven"},
		"the fallback to somebody else":            {"10.0.0.4", 28080, last, network.FallbackManager, true, "no pod of this server"},
		"the fallback to the server itself":        {"10.0.0.1", 8000, last, network.FallbackManager, true, "port 8000 of pod proven"},
		"a copy of the fallback":                   {"10.0.0.1", 28080, last, network.FallbackManager, false, "neither the control plane nor this operator has made"},
		"a proven pod in a slice of somebody else": {"10.0.0.1", 8080, ready, "me", false, "neither the control plane nor this operator has made"},
		"the server of a proven pod":               {"10.0.0.1", 8000, ready, endpointSliceManager, false, "port 8000 of pod proven"},
	} {
		slice := discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Name: "weather-x", Labels: map[string]string{discoveryv1.LabelManagedBy: c.manager}},
			Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{c.address}, Conditions: c.conditions}},
			Ports:      []discoveryv1.EndpointPort{{Port: ptr.To(c.port)}},
		}
		if c.owned {
			slice.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(server, v1alpha1.SchemeGroupVersion.WithKind("MCPServer"))}
		}
		found := strays(server, []discoveryv1.EndpointSlice{slice}, pods)
		if (len(found) == 1) != (c.want != "") || len(found) == 1 && !strings.Contains(found[0].what, c.want) {
			t.Errorf("%s: %v", name, found)
		}
		since := persisting(nil, found, noon)
		if foreign(found, since, noon) != nil {
			t.Errorf("%s counts at once", name)
		}
		later := noon.Add(endpointGrace)
		if got := foreign(found, persisting(since, found, later), later); (got != nil) != (c.want != "") {
			t.Errorf("%s after the time of grace: %v", name, got)
		}
	}
}
