package servicehealth

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// TestDepartures: what the control plane lists of a pod of the server that is gone is left to it for departureGrace. Of all
// other EndpointSlices, and of addresses that were never a pod's, nothing is.
func TestDepartures(t *testing.T) {
	pod := func(name, ip string) corev1.Pod {
		p := corev1.Pod{Status: corev1.PodStatus{PodIPs: []corev1.PodIP{{IP: ip}}}}
		p.Name = name
		return p
	}
	slice := func(manager string) []discoveryv1.EndpointSlice {
		s := discoveryv1.EndpointSlice{Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}}}}
		s.Name, s.Labels = "weather-x", map[string]string{discoveryv1.LabelManagedBy: manager}
		return []discoveryv1.EndpointSlice{s}
	}
	had := Departures{}.after([]corev1.Pod{pod("weather-1", "10.0.0.1")}, noon)
	gone := had.after([]corev1.Pod{pod("weather-2", "10.0.0.2")}, noon)
	for name, c := range map[string]struct {
		known   Departures
		manager string
		after   time.Duration
		want    string
	}{
		"a pod that is gone":                    {gone, endpointSliceManager, departureGrace - 1, ""},
		"for too long":                          {gone, endpointSliceManager, departureGrace, "was the address of its pod weather-1"},
		"in a slice of somebody else":           {gone, "me", 0, "no pod of this server"},
		"an address that was never a pod's":     {nil, endpointSliceManager, 0, "no pod of this server"},
		"long after everybody has forgotten it": {gone.after(nil, noon.Add(2*departureGrace)), endpointSliceManager, 2 * departureGrace, "no pod of this server"},
	} {
		found := c.known.forgive(strays(&v1alpha1.MCPServer{}, slice(c.manager), nil), noon.Add(c.after))
		if (len(found) == 1) != (c.want != "") || len(found) == 1 && !strings.Contains(found[0].what, c.want) {
			t.Errorf("%s: %+v", name, found)
		}
		if len(found) == 1 {
			finding := foreign(found, map[string]time.Time{"10.0.0.1": noon.Add(-time.Hour)}, noon)
			if tellsToDelete := strings.Contains(finding.Message, "delete the EndpointSlice"); tellsToDelete == strings.Contains(c.want, "was the address") {
				t.Errorf("%s: %s", name, finding.Message)
			}
		}
	}
	if back := gone.after([]corev1.Pod{pod("weather-1", "10.0.0.1")}, noon); !back["10.0.0.1"].gone.IsZero() {
		t.Errorf("a pod that is there again: %+v", back)
	}
}

// TestFirstLook_AddressesOfPodsThatWereGoneBefore: an operator that starts while the control plane keeps no EndpointSlices does
// not know whose addresses they were. It believes them for inheritedGrace, at its first look only.
func TestFirstLook_AddressesOfPodsThatWereGoneBefore(t *testing.T) {
	server := &v1alpha1.MCPServer{}
	server.Name = "weather"
	slice := func(manager, pod string) []discoveryv1.EndpointSlice {
		s := discoveryv1.EndpointSlice{Endpoints: []discoveryv1.Endpoint{{
			Addresses: []string{"10.0.0.1"}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: pod},
		}}}
		s.Labels = map[string]string{discoveryv1.LabelManagedBy: manager}
		return []discoveryv1.EndpointSlice{s}
	}
	for name, c := range map[string]struct {
		before []discoveryv1.EndpointSlice // at the first look
		after  time.Duration
		now    []discoveryv1.EndpointSlice
		want   string
	}{
		"for a while":               {slice(endpointSliceManager, "weather-1"), inheritedGrace - endpointGrace - 1, slice(endpointSliceManager, "weather-1"), ""},
		"for too long":              {slice(endpointSliceManager, "weather-1"), inheritedGrace, slice(endpointSliceManager, "weather-1"), "kube-controller-manager"},
		"of somebody else's pod":    {slice(endpointSliceManager, "mine"), time.Minute, slice(endpointSliceManager, "mine"), "no pod of this server"},
		"in somebody else's slice":  {slice("me", "weather-1"), time.Minute, slice("me", "weather-1"), "no pod of this server"},
		"only at a look afterwards": {nil, time.Minute, slice(endpointSliceManager, "weather-1"), "no pod of this server"},
	} {
		view := View{}.LearnEndpoints(server, desired.Settings{Replicas: 1}, c.before, nil, noon)
		view = view.LearnEndpoints(server, desired.Settings{Replicas: 1}, c.now, nil, noon.Add(c.after))
		view = view.LearnEndpoints(server, desired.Settings{Replicas: 1}, c.now, nil, noon.Add(c.after+endpointGrace))
		if (view.Finding != nil) != (c.want != "") || view.Finding != nil && !strings.Contains(view.Finding.Message, c.want) {
			t.Errorf("%s: %+v", name, view.Finding)
		}
	}
}
