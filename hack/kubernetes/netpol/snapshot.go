package main

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
)

// snapshot is one moment of the cluster: the pods that have an address of their own, in the order of their addresses,
// the labels of the namespaces by name, and the policies in the order of their names.
type snapshot struct {
	pods       []*corev1.Pod
	namespaces map[string]labels.Set
	policies   []*netv1.NetworkPolicy
}

func take(watched informers.SharedInformerFactory) (*snapshot, error) {
	pods, err := watched.Core().V1().Pods().Lister().List(labels.Everything())
	if err != nil {
		return nil, err
	}
	namespaces, err := watched.Core().V1().Namespaces().Lister().List(labels.Everything())
	if err != nil {
		return nil, err
	}
	policies, err := watched.Networking().V1().NetworkPolicies().Lister().List(labels.Everything())
	if err != nil {
		return nil, err
	}
	return newSnapshot(pods, namespaces, policies), nil
}

func newSnapshot(pods []*corev1.Pod, namespaces []*corev1.Namespace, policies []*netv1.NetworkPolicy) *snapshot {
	s := &snapshot{
		pods:       slices.DeleteFunc(slices.Clone(pods), func(p *corev1.Pod) bool { return !addressed(p) }),
		namespaces: map[string]labels.Set{},
		policies:   slices.Clone(policies),
	}
	for _, n := range namespaces {
		s.namespaces[n.Name] = n.Labels
	}
	slices.SortFunc(s.pods, func(a, b *corev1.Pod) int { return strings.Compare(a.Status.PodIP, b.Status.PodIP) })
	slices.SortFunc(s.policies, func(a, b *netv1.NetworkPolicy) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	return s
}

// addressed leaves out pods on the node's network, to which policies do not apply, and ended pods, whose address may
// already be another's.
func addressed(p *corev1.Pod) bool {
	return p.Status.PodIP != "" && !p.Spec.HostNetwork && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed
}

// selects tells whether a selector matches; an empty one matches all, an invalid one, which the API server does not let
// in, nothing.
func selects(selector *metav1.LabelSelector, set labels.Set) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(set)
}
