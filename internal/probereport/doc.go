// Package probereport shows a round of the probe to people, to programs and to test reports.
//
// It is pure, and judges nothing itself: what each result means is the verdict of package probe. It must not know how a
// round was made, or of Kubernetes.
package probereport
