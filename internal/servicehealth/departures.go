package servicehealth

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// departureGrace is how long the control plane may list the address of a pod that is gone: while the controller manager is
// away or restarts, nobody takes it from the EndpointSlice. Later another pod may have it.
const departureGrace = 10 * time.Minute

// inheritedGrace is how long of that an operator leaves for pods that were gone before it began to look: it takes the control
// plane's word for them, which others can write.
const inheritedGrace = 2 * time.Minute

// endpointSliceManager is the value of the label by which the control plane marks the EndpointSlices that it makes
// (KEP-752).
const endpointSliceManager = "endpointslice-controller.k8s.io"

// Departures are the addresses of a server's pods: those that it has, and those that it had.
type Departures map[string]departure

type departure struct {
	pod string
	// gone is when its pod was missed; zero while it is there.
	gone time.Time
}

// after are the departures when these pods are there.
func (d Departures) after(pods []corev1.Pod, now time.Time) Departures {
	out := Departures{}
	for address, known := range d {
		if known.gone.IsZero() {
			known.gone = now
		}
		if now.Sub(known.gone) < 2*departureGrace {
			out[address] = known
		}
	}
	for _, pod := range pods {
		for _, ip := range pod.Status.PodIPs {
			out[ip.IP] = departure{pod: pod.Name}
		}
	}
	return out
}

// inherit are the departures at the first look: what the control plane lists as the address of a pod of this name was one's.
func (d Departures) inherit(server string, found []Stray, now time.Time) Departures {
	for _, s := range found {
		if _, known := d[s.address]; !known && s.managed && strings.HasPrefix(s.pod, server+"-") {
			d[s.address] = departure{pod: s.pod, gone: now.Add(inheritedGrace - departureGrace)}
		}
	}
	return d
}

// forgive leaves out what the control plane lists of pods that are gone, for a while, and says of the rest what it is.
func (d Departures) forgive(found []Stray, now time.Time) []Stray {
	var left []Stray
	for _, s := range found {
		known, had := d[s.address]
		switch old := s.managed && had && !known.gone.IsZero(); {
		case !old:
			left = append(left, s)
		case now.Sub(known.gone) >= departureGrace:
			left = append(left, known.explain(s))
		}
	}
	return left
}

// explain words a stray that is the address of this pod.
func (d departure) explain(s Stray) Stray {
	s.what = fmt.Sprintf("%s, which was the address of its pod %s and may be another's by now", s.address, d.pod)
	s.cure = "The control plane does not keep its EndpointSlices: look at kube-controller-manager."
	return s
}

// isControlPlanes reports whether the control plane made the EndpointSlice, as far as its label says.
func isControlPlanes(slice discoveryv1.EndpointSlice) bool {
	return slice.Labels[discoveryv1.LabelManagedBy] == endpointSliceManager
}
