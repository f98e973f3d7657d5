package controllers_test

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// The gate is the first init container, and the server the first container.
const (
	gateOfTemplate = "/spec/template/spec/initContainers/0"
	gateOfPod      = "/spec/initContainers/0"
)

var ways = []way{
	{"The spec asks for the node's network", isRefused, askInSpec(`pod: {hostNetwork: true}`), `unknown field "spec.pod.hostNetwork"`},
	{"The spec asks for one process namespace", isRefused, askInSpec(`pod: {shareProcessNamespace: true}`), `unknown field "spec.pod.shareProcessNamespace"`},
	{"The spec mounts the node's files", isRefused, askInSpec(`volumes: [{name: x, hostPath: {path: /var/lib/kubelet}}]`), `unknown field "spec.volumes[0].hostPath"`},
	{"The spec mounts a volume of the gate", isRefused, askInSpec(`volumeMounts: [{name: gatehouse-secret, mountPath: /s}]`), "volumes whose names begin with gatehouse-"},
	{"The spec has a volume by the name of one of the gate's", isRefused, askInSpec(`volumes: [{name: gatehouse-keys, emptyDir: {}}]`), "may not begin with gatehouse-"},
	{"The spec runs the server as the gate's user", isRefused, askInSpec(`pod: {securityContext: {runAsUser: 65533}}`), "the gate runs as 65533"},
	{"The spec puts the server on the gate's port", isRefused, askInSpec(`port: 8080`), "must differ"},
	{"The spec gives the pods another server's labels", isRefused, askInSpec(`pod: {labels: {mcp.gatehouse.dev/server: other}}`), "may not begin with mcp.gatehouse.dev/"},
	{"The spec accepts tokens that are not signed", isRefused, askInSpec(`auth: {providers: [{name: x, algorithms: [none], keys: {type: Remote}}]}`), `Unsupported value: "none"`},

	{"The spec mounts the Secret with the signing keys", wouldUnlock, askPastAdmission(func(s *v1alpha1.MCPServer) {
		s.Spec.Volumes = []v1alpha1.Volume{{Name: "x", Secret: &corev1.SecretVolumeSource{SecretName: s.Name + "-keys"}}}
	}), "volume x holds Secret"},
	{"The spec has the gate's Secret in a projected volume", wouldUnlock, askPastAdmission(func(s *v1alpha1.MCPServer) {
		s.Spec.Volumes = []v1alpha1.Volume{{Name: "x", Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{
			Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: s.Name + "-gate"}}}}}}}
	}), "volume x holds Secret"},
	{"The spec has the signing keys in a variable", wouldUnlock, askPastAdmission(func(s *v1alpha1.MCPServer) {
		s.Spec.Env = []corev1.EnvVar{{Name: "K", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: s.Name + "-keys"}, Key: "managed.jwks"}}}}
	}), "in its environment"},
	{"The spec has the gate's Secret in envFrom", wouldUnlock, askPastAdmission(func(s *v1alpha1.MCPServer) {
		s.Spec.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: s.Name + "-gate"}}}}
	}), "in its environment"},
	{"The spec hands the signing keys to a CSI driver", wouldUnlock, askPastAdmission(func(s *v1alpha1.MCPServer) {
		s.Spec.Volumes = []v1alpha1.Volume{{Name: "x", CSI: &corev1.CSIVolumeSource{
			Driver: "example.com", NodePublishSecretRef: &corev1.LocalObjectReference{Name: s.Name + "-keys"}}}}
	}), "volume x holds Secret"},
	{"The spec mounts a token of the server's account", wouldUnlock, askPastAdmission(func(s *v1alpha1.MCPServer) {
		s.Spec.Volumes = []v1alpha1.Volume{{Name: "x", Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{
			ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}}}}}}
	}), "projects a service account token"},

	{"A webhook swaps the gate's image in the Deployment", isTemplateTampered,
		templateChanged(`{op: "replace", path: "` + gateOfTemplate + `/image", value: "example.com/open-door"}`), "image of authproxy"},
	{"A webhook gives the gate arguments", isTemplateTampered,
		templateChanged(`{op: "add", path: "` + gateOfTemplate + `/args", value: ["--keys-dir=/tmp"]}`), "args"},
	{"A webhook takes the gate's hook", isTemplateTampered, templateChanged(`{op: "remove", path: "` + gateOfTemplate + `/lifecycle"}`), "lifecycle"},
	{"A webhook has the gate's hook run another command", isTemplateTampered,
		templateChanged(`{op: "replace", path: "` + gateOfTemplate + `/lifecycle/preStop/exec/command", value: ["/authproxy", "--keys-dir=/tmp"]}`), "lifecycle"},
	{"A webhook has all containers share their processes", isTemplateTampered,
		templateChanged(`{op: "add", path: "/spec/template/spec/shareProcessNamespace", value: true}`), "shareProcessNamespace"},
	{"A webhook takes the readiness gate", isTemplateTampered, templateChanged(`{op: "remove", path: "/spec/template/spec/readinessGates"}`), "readiness gate"},
	{"A webhook leads the Service to other pods", isObjectTampered,
		objectChanged("", "services", `{op: "replace", path: "/spec/selector", value: {"app": "evil"}}`), "spec.selector"},
	{"A webhook has the Service lead to unproven pods", isObjectTampered,
		objectChanged("", "services", `{op: "add", path: "/spec/publishNotReadyAddresses", value: true}`), "spec.publishNotReadyAddresses"},
	{"A webhook opens the NetworkPolicy", isObjectTampered,
		objectChanged("networking.k8s.io", "networkpolicies", `{op: "replace", path: "/spec/ingress", value: [Object.spec.ingress{}]}`), "spec.ingress"},
	{"A webhook leads the NetworkPolicy to other pods", isObjectTampered,
		objectChanged("networking.k8s.io", "networkpolicies", `{op: "replace", path: "/spec/podSelector/matchLabels", value: {"app": "none"}}`), "spec.podSelector"},
	{"A webhook publishes other keys", isObjectTampered,
		objectChanged("", "configmaps", `{op: "replace", path: "/data", value: {"managed.jwks": "{}"}}`), "data"},
	{"A webhook has the account's token mounted", isObjectTampered,
		objectChanged("", "serviceaccounts", `{op: "replace", path: "/automountServiceAccountToken", value: true}`), "automountServiceAccountToken"},

	{"A webhook swaps the gate's image in pods", isPodTampered, podChanged(`{op: "replace", path: "` + gateOfPod + `/image", value: "example.com/open-door"}`), "image of authproxy"},
	{"A webhook changes the gate's environment in pods", isPodTampered, podChanged(`{op: "replace", path: "` + gateOfPod + `/env/0/name", value: "GODEBUG"}`), "env of authproxy"},
	{"A webhook runs the gate as root", isPodTampered, podChanged(`{op: "replace", path: "` + gateOfPod + `/securityContext/runAsUser", value: 0}`), "securityContext of authproxy"},
	{"A webhook has the gate's probe run a command", isPodTampered,
		podChanged(`{op: "replace", path: "` + gateOfPod + `/livenessProbe", value: Object.spec.initContainers.livenessProbe{exec: Object.spec.initContainers.livenessProbe.exec{command: ["/authproxy"]}}}`),
		"livenessProbe runs a command"},
	{"A webhook puts other keys behind the gate's mount", isPodTampered,
		podChanged(`{op: "replace", path: "/spec/volumes/1/projected/sources/0/configMap/name", value: "mine"}`), "volume gatehouse-keys"},
	{"A webhook has a pod's containers share their processes", isPodTampered, podChanged(`{op: "add", path: "/spec/shareProcessNamespace", value: true}`), "shareProcessNamespace"},
	{"A webhook mounts the gate's secret in the server, under a subPath", isPodTampered,
		podChanged(`{op: "add", path: "/spec/containers/0/volumeMounts", value: [Object.spec.containers.volumeMounts{name: "gatehouse-secret", mountPath: "/s", subPath: "secret"}]}`),
		"mounts volume gatehouse-secret"},
	{"A webhook makes the server privileged", isPodTampered,
		podChanged(`{op: "replace", path: "/spec/containers/0/securityContext", value: Object.spec.containers.securityContext{privileged: true}}`), "is privileged"},
	{"A webhook adds a container of the gate's user", isPodTampered,
		podChanged(`{op: "add", path: "/spec/containers/-", value: Object.spec.containers{name: "n", image: "n", securityContext: Object.spec.containers.securityContext{runAsUser: 65533}}}`),
		"runs as the gate's user"},
	{"A webhook mounts the node's files in pods", isPodTampered,
		podChanged(`{op: "add", path: "/spec/volumes/-", value: Object.spec.volumes{name: "x", hostPath: Object.spec.volumes.hostPath{path: "/var/lib/kubelet"}}}`), "mounts the node's"},
	{"A webhook opens the server's port on the node", isPodTampered, podChanged(`{op: "add", path: "/spec/containers/0/ports/0/hostPort", value: 8000}`), "hostPort"},
	{"A webhook gives an issuer's name another address", isPodTampered,
		podChanged(`{op: "add", path: "/spec/hostAliases", value: [Object.spec.hostAliases{ip: "192.0.2.1", hostnames: ["login.example.com"]}]}`), "hostAliases"},
	{"A webhook gives pods other name servers", isPodTampered,
		podChanged(`{op: "replace", path: "/spec/dnsPolicy", value: "None"}, JSONPatch{op: "add", path: "/spec/dnsConfig", value: Object.spec.dnsConfig{nameservers: ["192.0.2.1"]}}`), "dnsConfig"},
	{"A webhook names the server's port as the gate's", isPodTampered,
		podChanged(`{op: "replace", path: "/spec/containers/0/ports/0/name", value: "mcp-gate"}`), "as the gate does"},
	{"A webhook has an empty file mounted over the list of revocations", isPodTampered,
		podChanged(`{op: "replace", path: "` + gateOfPod + `/terminationMessagePath", value: "/etc/gatehouse/keys/revoked"}`), "terminationMessagePath of authproxy"},
	{"A webhook routes from outside to loopback", isPodTampered,
		podChanged(`{op: "add", path: "/spec/securityContext/sysctls", value: [Object.spec.securityContext.sysctls{name: "net.ipv4.conf.all.route_localnet", value: "1"}]}`), "route_localnet"},
	{"Somebody swaps the gate in a ReplicaSet", isPodTampered, replicaSetChanged, "image of authproxy"},
	{"Somebody attaches a debugger to the gate", isPodTampered, debuggerAttached, "debug"},

	{"Somebody gives a pod of his own the server's labels", isImpostor, neighbour, "did not make it"},
	{"Somebody adds an EndpointSlice to the Service", isForeign, foreignSlice, "10.9.8.7"},
	{"Another Service or NetworkPolicy leads to the server's own port", isBypass, serverReached, "8000"},
	{"Something else answers on the gate's port of a proven pod", isOpen, doorReplaced, "without a token"},
	{"The server takes the gate's port before the gate", isPortTaken, gatePortTaken, "port"},
	{"Somebody else owns an object of the server's name", isNameTaken, foreignOwner, "Service"},

	{"Somebody swaps the gate's image in the Deployment", isUndone, edited("", func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.InitContainers[0].Image = "example.com/open-door"
	}), ""},
	{"Somebody swaps the gate's image, and the operator's record of the template with it, while an upgrade waits", isUndone, recordForged, ""},
	{"Somebody adds a container to the Deployment that mounts the gate's secret", isUndone, edited("", func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers = append(d.Spec.Template.Spec.Containers, corev1.Container{
			Name: "added", Image: "added", VolumeMounts: []corev1.VolumeMount{{Name: "gatehouse-secret", MountPath: "/s"}}})
	}), ""},
	{"Somebody gives the Deployment other name servers", isUndone, edited("", func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.DNSPolicy, d.Spec.Template.Spec.DNSConfig = corev1.DNSNone, &corev1.PodDNSConfig{Nameservers: []string{"192.0.2.1"}}
	}), ""},
	{"Somebody pauses the Deployment", isUndone, edited("", func(d *appsv1.Deployment) { d.Spec.Paused = true }), ""},
	{"Somebody takes the readiness gate from the Deployment", isUndone, edited("", func(d *appsv1.Deployment) { d.Spec.Template.Spec.ReadinessGates = nil }), ""},
	{"Somebody leads the Service to other pods", isUndone, edited("", func(s *corev1.Service) { s.Spec.Selector = map[string]string{"app": "evil"} }), ""},
	{"Somebody has the Service lead to unproven pods", isUndone, edited("", func(s *corev1.Service) { s.Spec.PublishNotReadyAddresses = true }), ""},
	{"Somebody gives the Service an address from outside", isUndone, edited("", func(s *corev1.Service) { s.Spec.ExternalIPs = []string{"192.0.2.1"} }), ""},
	{"Somebody opens the NetworkPolicy", isUndone, edited("", func(p *networkingv1.NetworkPolicy) {
		p.Spec.Ingress = append(p.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{})
	}), ""},
	{"Somebody deletes the NetworkPolicy", isUndone, policyDeleted, ""},
	{"Somebody changes the gate's configuration", isUndone, edited("-authproxy", func(c *corev1.ConfigMap) { c.Data["authproxy.v2.json"] = "{}" }), ""},
	{"Somebody publishes keys of his own to the gate", isUndone, edited("-jwks", func(c *corev1.ConfigMap) { c.Data["managed.jwks"] = `{"keys":[]}` }), ""},
	{"Somebody takes the owner reference from the signing keys", isUndone, edited("-keys", func(s *corev1.Secret) { s.OwnerReferences = nil }), ""},
	{"A gate has loaded a key that is not published", isUnpublished, keyLoaded, "which the operator has not published"},
	{"Somebody publishes a key of his own and makes the ConfigMap immutable", isRenamed, spoiltObject("-jwks", "gatehouse-keys", func(c *corev1.ConfigMap) {
		c.Data["managed.jwks"], c.Immutable = `{"keys":[]}`, ptr.To(true)
	}), ""},
	{"Somebody changes the gate's configuration and makes it immutable", isRenamed, spoiltObject("-authproxy", "gatehouse-config", func(c *corev1.ConfigMap) {
		c.Data["authproxy.v2.json"], c.Immutable = "{}", ptr.To(true)
	}), ""},
	{"Somebody makes the gate's secret immutable", isRenamed, spoiltObject("-gate", "gatehouse-secret", func(s *corev1.Secret) { s.Immutable = ptr.To(true) }), ""},
	{"Somebody takes the ConfigMap of public keys from the server", isRenamed, spoiltObject("-jwks", "gatehouse-keys", func(c *corev1.ConfigMap) {
		c.Data["managed.jwks"], c.OwnerReferences, c.Labels = `{"keys":[]}`, nil, nil
	}), ""},
}
