package authprobe

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// departureGrace is how long the control plane may list the address of a pod that is gone: while the controller manager is
// away or restarts, nobody takes it from the EndpointSlice. Later another pod may have it.
const departureGrace = 10 * time.Minute

// endpointSliceManager is the value of the label by which the control plane marks the EndpointSlices that it makes
// (KEP-752).
const endpointSliceManager = "endpointslice-controller.k8s.io"

// departures are the addresses of a server's pods: those that it has, and those that it had.
type departures map[string]departure

type departure struct {
	pod string
	// gone is when its pod was missed; zero while it is there.
	gone time.Time
}

// after are the departures when these pods are there.
func (d departures) after(pods []corev1.Pod, now time.Time) departures {
	out := departures{}
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

// forgive leaves out what the control plane lists of pods that are gone, for a while, and says of the rest what it is.
func (d departures) forgive(found []stray, now time.Time) []stray {
	var left []stray
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
func (d departure) explain(s stray) stray {
	s.what = fmt.Sprintf("%s, which was the address of its pod %s and may be another's by now", s.address, d.pod)
	s.cure = "The control plane does not keep its EndpointSlices: look at kube-controller-manager."
	return s
}

// isControlPlanes reports whether the control plane made the EndpointSlice, as far as its label says.
func isControlPlanes(slice discoveryv1.EndpointSlice) bool {
	return slice.Labels[discoveryv1.LabelManagedBy] == endpointSliceManager
}
