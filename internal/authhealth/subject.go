package authhealth

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/podstate"
)

// Subject is one pod as the judge sees it.
type Subject struct {
	Pod string
	// Ready: its containers are, whatever its readiness gate says.
	Ready       bool
	terminating bool
	// young: within its budget for starting.
	young    bool
	Standing *Evidence
	// exposure is what was found beside the gate, and Bypass what that says against the pod.
	exposure Exposure
	Bypass   *Evidence
	// mesh: it carries a mesh proxy.
	mesh bool
	// bare is what the server does without its gate.
	bare v1alpha1.BareServerResult
	// Certificate is that which its gate shows clients.
	Certificate Validity
}

// worst is the evidence that decides about the pod. A way past the gate says more than a gate that gave no proof or no
// answer, and less than a gate that is open or fails.
func (s Subject) worst() *Evidence {
	if s.Bypass != nil && (s.Standing == nil || s.Standing.Grade <= Unknown) {
		return s.Bypass
	}
	return s.Standing
}

// role is what a pod is for the verdict on its server.
type role int

const (
	// silent: nothing is said about it that matters.
	silent role = iota
	// counts: its evidence decides.
	counts
	// explains: it takes no traffic; its evidence says why, if no pod counts.
	explains
	// untried: it takes traffic, and was not tried since the operator started.
	untried
)

func (s Subject) role() role {
	switch {
	case s.Standing != nil && s.Standing.Grade == Open, s.Bypass != nil:
		return counts
	case s.terminating:
		return silent
	case s.Ready && s.Standing != nil:
		return counts
	case s.Ready && !s.young:
		return untried
	case s.Standing != nil:
		return explains
	}
	return silent
}

// Subjects are the pods as the judge sees them.
func Subjects(pods []corev1.Pod, findings Findings, now time.Time, settings desired.Settings) []Subject {
	var out []Subject
	for _, pod := range pods {
		out = append(out, Subject{
			Pod:         pod.Name,
			Ready:       podstate.ContainersReady(pod),
			terminating: pod.DeletionTimestamp != nil,
			young:       now.Sub(pod.CreationTimestamp.Time) < settings.StartBudget() && podstate.ReadinessGate(pod) != corev1.ConditionTrue,
			Standing:    findings[pod.UID].Standing.AsOf(now, settings.Probe, findings[pod.UID].Hindered),
			exposure:    findings[pod.UID].Exposure,
			Bypass:      findings[pod.UID].Exposure.Bypass(now),
			mesh:        podstate.HasMeshProxy(pod),
			bare:        findings[pod.UID].bare,
			Certificate: findings[pod.UID].validity,
		})
	}
	return out
}

// meshed tells that a mesh stands between the operator and the pods: all that do not give proof have a proxy that cut
// the connection, and nothing but such pods fails.
func meshed(counted []Subject) bool {
	cut := false
	for _, s := range counted {
		switch e := s.worst(); {
		case e.Grade == Proven && !s.mesh:
		case e.Cut && s.mesh:
			cut = true
		default:
			return false
		}
	}
	return cut
}
