package main

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// The cluster of these tests: in namespace shop the gate, with a sidecar's port "gate" and a main container's port
// "http", and a client; in namespace dns a server; and what no rule may name: an ended pod and one on the node's network.
func cluster(t *testing.T, policies ...string) *snapshot {
	t.Helper()
	always, never := corev1.ContainerRestartPolicyAlways, corev1.ContainerRestartPolicyNever
	gate := newPod("shop", "gate", "10.244.0.5", map[string]string{"app": "gate"}, containerPort("http", 8080, corev1.ProtocolTCP))
	gate.Spec.InitContainers = []corev1.Container{
		{Name: "sidecar", RestartPolicy: &always, Ports: []corev1.ContainerPort{containerPort("gate", 8443, corev1.ProtocolTCP)}},
		{Name: "setup", RestartPolicy: &never, Ports: []corev1.ContainerPort{containerPort("setup", 7000, corev1.ProtocolTCP)}},
	}
	client := newPod("shop", "client", "10.244.0.6", map[string]string{"app": "client", "access": "yes"})
	dns := newPod("dns", "dns", "10.244.0.7", map[string]string{"app": "dns"}, containerPort("dns", 53, corev1.ProtocolUDP), containerPort("web", 9153, corev1.ProtocolTCP))
	ended := newPod("shop", "ended", "10.244.0.8", map[string]string{"access": "yes"})
	ended.Status.Phase = corev1.PodSucceeded
	host := newPod("shop", "host", "10.250.0.1", map[string]string{"access": "yes"})
	host.Spec.HostNetwork = true

	var list []*netv1.NetworkPolicy
	for i, spec := range policies {
		p := &netv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprintf("p%d", i)}}
		if err := yaml.UnmarshalStrict([]byte(spec), &p.Spec); err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	namespaces := []*corev1.Namespace{
		{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{"team": "a"}}},
		{ObjectMeta: metav1.ObjectMeta{Name: "dns", Labels: map[string]string{"team": "b"}}},
	}
	return newSnapshot([]*corev1.Pod{host, dns, client, ended, gate}, namespaces, list)
}

func newPod(namespace, name, ip string, set map[string]string, ports ...corev1.ContainerPort) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: set},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: name, Ports: ports}}},
		Status:     corev1.PodStatus{PodIP: ip, Phase: corev1.PodRunning},
	}
}

func containerPort(name string, number int32, protocol corev1.Protocol) corev1.ContainerPort {
	return corev1.ContainerPort{Name: name, ContainerPort: number, Protocol: protocol}
}

func TestRender(t *testing.T) {
	got := cluster(t,
		`{podSelector: {matchLabels: {app: gate}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {access: "yes"}}}], ports: [{port: 8443}]}]}`,
	).render()
	want := `table inet netpol
delete table inet netpol
table inet netpol {
  chain to_10_244_0_5 {
    ip saddr 10.244.0.5 return
    ip saddr { 10.244.0.6 } tcp dport 8443 return
    counter drop
  }
  chain forward {
    type filter hook forward priority filter - 5; policy accept;
    ct state established,related accept
    ip daddr 10.244.0.5 jump to_10_244_0_5
  }
}
`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestRenderOfNoPolicyDropsNothing(t *testing.T) {
	if got := cluster(t).render(); strings.Contains(got, "drop") || strings.Contains(got, "jump") {
		t.Errorf("got:\n%s", got)
	}
}

// Each case is the rules between a pod's own address and the drop.
func TestIngress(t *testing.T) {
	for _, c := range []struct {
		name, ingress string
		want          []string
	}{
		{"nothing allowed", `[]`, nil},
		{"an empty rule allows everyone", `[{}]`, []string{"return"}},
		{"a port for everyone", `[{ports: [{port: 80}]}]`, []string{"tcp dport 80 return"}},
		{"a protocol without a port", `[{ports: [{protocol: UDP}]}]`, []string{"meta l4proto udp return"}},
		{"a range", `[{ports: [{port: 8000, endPort: 9000}]}]`, []string{"tcp dport 8000-9000 return"}},
		{"SCTP", `[{ports: [{protocol: SCTP, port: 9}]}]`, []string{"sctp dport 9 return"}},
		{"a named port of a main container", `[{ports: [{port: http}]}]`, []string{"tcp dport 8080 return"}},
		{"a named port of a sidecar", `[{ports: [{port: gate}]}]`, []string{"tcp dport 8443 return"}},
		{"a named port of an init container that has ended", `[{ports: [{port: setup}]}]`, nil},
		{"a named port of another protocol", `[{ports: [{port: http, protocol: UDP}]}]`, nil},
		{"a named port that nobody has", `[{ports: [{port: none}]}]`, nil},
		{"two ports", `[{ports: [{port: http}, {port: 9}]}]`, []string{"tcp dport 8080 return", "tcp dport 9 return"}},
		{"all pods of the policy's namespace", `[{from: [{podSelector: {}}]}]`, []string{"ip saddr { 10.244.0.5, 10.244.0.6 } return"}},
		{"all pods of all namespaces", `[{from: [{namespaceSelector: {}}]}]`, []string{"ip saddr { 10.244.0.5, 10.244.0.6, 10.244.0.7 } return"}},
		{"namespaces by label", `[{from: [{namespaceSelector: {matchLabels: {team: b}}}]}]`, []string{"ip saddr { 10.244.0.7 } return"}},
		{"both selectors must match", `[{from: [{namespaceSelector: {matchLabels: {team: b}}, podSelector: {matchLabels: {app: client}}}]}]`, nil},
		{"a peer that selects nobody", `[{from: [{podSelector: {matchLabels: {app: none}}}], ports: [{port: 1}]}]`, nil},
		{"a block with exceptions", `[{from: [{ipBlock: {cidr: 10.244.0.9/24, except: [10.244.0.6/32, 10.244.0.7/32]}}], ports: [{port: 1}]}]`,
			[]string{"ip saddr 10.244.0.0/24 ip saddr != { 10.244.0.6/32, 10.244.0.7/32 } tcp dport 1 return"}},
		{"a block of IPv6", `[{from: [{ipBlock: {cidr: "fd00::/8"}}]}]`, nil},
		{"two peers are alternatives", `[{from: [{podSelector: {matchLabels: {app: client}}}, {ipBlock: {cidr: 10.0.0.0/8}}]}]`,
			[]string{"ip saddr { 10.244.0.6 } return", "ip saddr 10.0.0.0/8 return"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := cluster(t, `{podSelector: {matchLabels: {app: gate}}, policyTypes: [Ingress], ingress: `+c.ingress+`}`)
			compare(t, chain(t, s, "to_10_244_0_5"), c.want)
		})
	}
}

func TestEgress(t *testing.T) {
	for _, c := range []struct {
		name, egress string
		want         []string
	}{
		{"nothing allowed", `[]`, nil},
		{"a block", `[{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]`, []string{"ip daddr 10.0.0.0/8 return"}},
		{"a range to pods", `[{to: [{podSelector: {matchLabels: {app: gate}}}], ports: [{port: 1, endPort: 2}]}]`, []string{"ip daddr { 10.244.0.5 } tcp dport 1-2 return"}},
		{"a named port is that of each pod called", `[{to: [{namespaceSelector: {}}], ports: [{port: gate}, {port: web}]}]`,
			[]string{"ip daddr 10.244.0.5 tcp dport 8443 return", "ip daddr 10.244.0.7 tcp dport 9153 return"}},
		{"a named port of everyone", `[{ports: [{port: dns, protocol: UDP}]}]`, []string{"ip daddr 10.244.0.7 udp dport 53 return"}},
		{"a named port in a block", `[{to: [{ipBlock: {cidr: 10.244.0.0/24, except: [10.244.0.5/32]}}], ports: [{port: gate}, {port: web}]}]`,
			[]string{"ip daddr 10.244.0.7 tcp dport 9153 return"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := cluster(t, `{podSelector: {matchLabels: {app: client}}, policyTypes: [Egress], egress: `+c.egress+`}`)
			compare(t, chain(t, s, "from_10_244_0_6"), c.want)
		})
	}
}

func TestPoliciesAddUp(t *testing.T) {
	s := cluster(t,
		`{podSelector: {}, policyTypes: [Ingress]}`,
		`{podSelector: {matchLabels: {app: gate}}, policyTypes: [Ingress, Egress], ingress: [{ports: [{port: 1}]}]}`,
		`{podSelector: {matchLabels: {app: gate}}, policyTypes: [Ingress], ingress: [{ports: [{port: 2}]}]}`,
	)
	compare(t, chain(t, s, "to_10_244_0_5"), []string{"tcp dport 1 return", "tcp dport 2 return"})
	compare(t, chain(t, s, "from_10_244_0_5"), nil)
	compare(t, chain(t, s, "to_10_244_0_6"), nil)
	if text := s.render(); strings.Contains(text, "10.244.0.7") || strings.Contains(text, "from_10_244_0_6") {
		t.Errorf("isolates a pod that no policy selects:\n%s", text)
	}
}

// chain gives the rules of a chain without the first, which lets the pod reach itself, and the last, which drops.
func chain(t *testing.T, s *snapshot, name string) []string {
	t.Helper()
	_, after, found := strings.Cut(s.render(), "chain "+name+" {\n")
	body, _, _ := strings.Cut(after, "\n  }")
	rules := strings.Split(body, "\n")
	for i := range rules {
		rules[i] = strings.TrimSpace(rules[i])
	}
	self := "ip saddr "
	if strings.HasPrefix(name, "from_") {
		self = "ip daddr "
	}
	self += strings.ReplaceAll(name[strings.Index(name, "_")+1:], "_", ".") + " return"
	if !found || len(rules) < 2 || rules[0] != self || rules[len(rules)-1] != "counter drop" {
		t.Fatalf("chain %s: %q in\n%s", name, rules, s.render())
	}
	return rules[1 : len(rules)-1]
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
