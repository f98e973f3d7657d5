package podlock

import "strings"

// Judged is how a field of a pod is looked at when the pod is judged.
type Judged string

// How fields are looked at.
const (
	// Compared: it must be as the operator applied it.
	Compared Judged = "compared"
	// Ruled: some values of it unlock the pod, whoever set them.
	Ruled Judged = "ruled"
	// Harmless: no value of it unlocks the pod.
	Harmless Judged = "harmless"
)

// Part is a part of a pod whose fields are looked at alike.
type Part string

// The parts of a pod.
const (
	PodPart         Part = "the pod"
	GatePart        Part = "the gate"
	ContainerPart   Part = "other containers"
	GateVolumePart  Part = "volumes of the gate"
	VolumePart      Part = "other volumes"
	PodMetadataPart Part = "the pod's metadata"
	EphemeralPart   Part = "ephemeral containers"
)

// everythingInPart is the field that stands for all.
const everythingInPart = ""

// FieldGroup says of some fields of a part how they are looked at.
type FieldGroup struct {
	Part Part
	// Fields are paths, such as securityContext.privileged; one stands for all that is below it, where no longer one does.
	Fields []string
	Judged Judged
	// Why is for people: what could be done with the fields, or why nothing can.
	Why string
}

// FieldGroups are all fields of a pod. A test holds them to the types of the Kubernetes API: one that is new must be put here.
var FieldGroups = []FieldGroup{
	{GatePart, []string{"name", "image", "command", "args", "workingDir", "env", "envFrom"}, Compared,
		"another program, or the gate's with other settings"},
	{GatePart, []string{"ports"}, Compared, "the Service follows the name of the gate's port"},
	{GatePart, []string{"volumeMounts", "volumeDevices", "resources.claims"}, Compared, "other keys, another configuration; a device's driver may mount files, too"},
	{GatePart, []string{"terminationMessagePath", "terminationMessagePolicy"}, Compared, "the kubelet mounts an empty file there: over the list of what is revoked, for instance"},
	{GatePart, []string{"lifecycle", "readinessProbe", "restartPolicy", "restartPolicyRules"}, Compared, "a command in the gate, or a pod that takes traffic without its gate"},
	{GatePart, []string{"securityContext", "stdin", "stdinOnce", "tty"}, Compared, "the gate's own confinement"},
	{GatePart, []string{"startupProbe.exec", "livenessProbe.exec"}, Ruled, "a command in the gate"},
	{GatePart, []string{"startupProbe", "livenessProbe"}, Harmless, "meshes lead them another way; the worst is a restart of the gate"},
	{GatePart, []string{"resources.limits", "resources.requests", "resizePolicy"}, Harmless, "autoscalers and limit ranges set them; a gate with too little is ended, not opened"},
	{GatePart, []string{"imagePullPolicy"}, Harmless, "the admission plugin AlwaysPullImages sets it; the image is compared"},

	{GateVolumePart, []string{everythingInPart}, Compared, "other keys, another configuration, another secret"},

	{PodPart, []string{"hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"}, Ruled, "the gate's loopback, processes or files for others"},
	{PodPart, []string{"hostAliases", "dnsPolicy", "dnsConfig.nameservers", "dnsConfig.searches", "hostname", "subdomain", "setHostnameAsFQDN", "hostnameOverride"}, Ruled,
		"an issuer's name that leads to keys of somebody else"},
	{PodPart, []string{"dnsConfig.options"}, Harmless, "how often and how long the resolver asks, not whom"},
	{PodPart, []string{"securityContext.sysctls"}, Ruled, "net.ipv4.conf.all.route_localnet leads from outside to loopback"},
	{PodPart, []string{"securityContext.runAsUser"}, Ruled, "the gate's user for others"},
	{PodPart, []string{"securityContext.windowsOptions.hostProcess"}, Ruled, "the node's processes"},
	{PodPart, []string{"readinessGates"}, Ruled, "a pod that takes traffic before its lock is proven"},
	{PodPart, []string{"automountServiceAccountToken", "serviceAccountName"}, Ruled, "the rights of another account"},
	{PodPart, []string{"serviceAccount"}, Harmless, "an old name of serviceAccountName, which the API server holds equal"},
	{PodPart, []string{"securityContext"}, Harmless, "users, groups and confinement of what is not the gate, which has its own; it alone mounts its files"},
	{PodPart, []string{"nodeSelector", "nodeName", "affinity", "schedulerName", "tolerations", "topologySpreadConstraints", "schedulingGates", "schedulingGroup",
		"priorityClassName", "priority", "preemptionPolicy", "overhead", "resources", "resourceClaims", "runtimeClassName", "os", "hostUsers"}, Harmless,
		"where and with what the pod runs: administrators offer nodes, runtimes and devices, and the gate is given none of these"},
	{PodPart, []string{"restartPolicy", "terminationGracePeriodSeconds", "activeDeadlineSeconds", "evictionResponders"}, Harmless, "when the pod ends"},
	{PodPart, []string{"imagePullSecrets"}, Harmless, "how images are fetched, not which"},
	{PodPart, []string{"enableServiceLinks"}, Harmless, "variables that the gate does not read"},

	{ContainerPart, []string{"ports.name"}, Ruled, "the Service follows the name of the gate's port"},
	{ContainerPart, []string{"ports.hostPort"}, Ruled, "a way past the gate"},
	{ContainerPart, []string{"env.valueFrom.secretKeyRef.name", "envFrom.secretRef.name"}, Ruled, "the keys of the gate"},
	{ContainerPart, []string{"volumeMounts.name", "env.valueFrom.fileKeyRef.volumeName"}, Ruled, "the volumes of the gate"},
	{ContainerPart, []string{"securityContext.privileged", "securityContext.capabilities.add", "securityContext.procMount",
		"securityContext.windowsOptions.hostProcess"}, Ruled, "other processes, the kernel's memory, the node"},
	{ContainerPart, []string{"securityContext.runAsUser"}, Ruled, "the gate's user"},
	{ContainerPart, []string{"name", "image", "command", "args", "workingDir", "env", "envFrom", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules",
		"terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy", "stdin", "stdinOnce", "tty"}, Harmless,
		"what runs beside the gate gets the requests that the gate lets in, whatever it is"},
	{ContainerPart, []string{"volumeMounts", "volumeDevices"}, Harmless, "volumes that are not the gate's"},
	{ContainerPart, []string{"ports"}, Harmless, "what is listed opens nothing; what listens is found by the prober"},
	{ContainerPart, []string{"startupProbe", "livenessProbe", "readinessProbe", "lifecycle"}, Harmless, "requests of the kubelet, and commands in a container that is not the gate"},
	{ContainerPart, []string{"securityContext"}, Harmless, "confinement of what is not the gate: without the capabilities above it does not reach the gate"},

	{EphemeralPart, []string{"targetContainerName"}, Ruled, "the processes of the gate"},

	{VolumePart, []string{"hostPath", "gitRepo"}, Ruled, "the node's files, where the kubelet keeps the gate's; a command on the node"},
	{VolumePart, []string{"secret.secretName", "projected.sources.secret.name", "csi.nodePublishSecretRef", "flexVolume.secretRef", "azureFile.secretName",
		"cephfs.secretRef", "rbd.secretRef", "iscsi.secretRef", "cinder.secretRef", "scaleIO.secretRef", "storageos.secretRef"}, Ruled,
		"the keys of the gate, by themselves or for a driver"},
	{VolumePart, []string{"projected.sources.serviceAccountToken", "projected.sources.podCertificate"}, Ruled, "the identity of the pod, which it is to have only if the spec names an account"},
	{VolumePart, []string{everythingInPart}, Harmless, "storage and files that are not the gate's, and mounted by others"},

	{PodMetadataPart, []string{"ownerReferences"}, Ruled, "a pod that the server's Deployment did not make is sent no token"},
	{PodMetadataPart, []string{"labels"}, Harmless, "without the server's labels a pod gets no traffic from its Service, and is replaced"},
	{PodMetadataPart, []string{"annotations"}, Harmless, "the gate reads none"},
	{PodMetadataPart, []string{"name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
		"deletionGracePeriodSeconds", "finalizers", "managedFields"}, Harmless, "the API server's, or nothing to anybody but controllers"},
}

// JudgedAs tells how a field is looked at; false if nobody has said so.
func JudgedAs(part Part, field string) (FieldGroup, bool) {
	var found FieldGroup
	longest := -1
	for _, group := range FieldGroups {
		if group.Part != part {
			continue
		}
		for _, prefix := range group.Fields {
			covers := prefix == everythingInPart || field == prefix || strings.HasPrefix(field, prefix+".")
			if covers && len(prefix) > longest {
				found, longest = group, len(prefix)
			}
		}
	}
	return found, longest >= 0
}

// notCompared are the fields of a part that may differ from what the operator applied.
func notCompared(part Part) []string {
	var fields []string
	for _, group := range FieldGroups {
		if group.Part == part && group.Judged != Compared {
			fields = append(fields, group.Fields...)
		}
	}
	return fields
}
