package authprobe

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

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
	had := departures{}.after([]corev1.Pod{pod("weather-1", "10.0.0.1")}, noon)
	gone := had.after([]corev1.Pod{pod("weather-2", "10.0.0.2")}, noon)
	for name, c := range map[string]struct {
		known   departures
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
		found := c.known.forgive(strays(slice(c.manager), nil), noon.Add(c.after))
		if (len(found) == 1) != (c.want != "") || len(found) == 1 && !strings.Contains(found[0].what, c.want) {
			t.Errorf("%s: %+v", name, found)
		}
		if len(found) == 1 {
			finding := foreign(found, map[string]time.Time{"10.0.0.1": noon.Add(-time.Hour)}, noon)
			if tellsToDelete := strings.Contains(finding.message, "delete the EndpointSlice"); tellsToDelete == strings.Contains(c.want, "was the address") {
				t.Errorf("%s: %s", name, finding.message)
			}
		}
	}
	if back := gone.after([]corev1.Pod{pod("weather-1", "10.0.0.1")}, noon); !back["10.0.0.1"].gone.IsZero() {
		t.Errorf("a pod that is there again: %+v", back)
	}
}
