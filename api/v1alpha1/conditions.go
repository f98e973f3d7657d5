package v1alpha1

// Condition types of an MCPServer, each with all the reasons that it can have. A test holds the controllers, and the page
// docs/conditions.md, to these lists.
const (
	// ConditionReady sums up: it is the first of Accepted, KeysReady, Available and AuthHealthy that is not True, with
	// that one's reason. Always present, even before an operator has seen the MCPServer. kstatus, and so Helm and Flux,
	// look at this one, at Reconciling and at Stalled only. A parked server is Ready.
	//
	// True:    Ready, ScaledToZero
	// False:   any reason for False of Accepted, KeysReady, Available and AuthHealthy
	// Unknown: Pending, any reason for Unknown of AuthHealthy
	ConditionReady = "Ready"

	// ConditionAccepted says whether the spec can be carried out.
	//
	// True:  Accepted
	// False: NameTaken, InvalidSpec, CertificateUnusable, RevocationsUnusable, GateBypass, ObjectRefused,
	//        TemplateTampered, ObjectTampered, RouteUnsupported, RouteConflict
	ConditionAccepted = "Accepted"

	// ConditionKeysReady says whether the keys that the gate needs exist and are published to it.
	//
	// True:  KeysPublished, KeysRotating, GateSecretRotating, KeysReplaced
	// False: KeyMissing, KeysUnusable, IssuerUnavailable, KeysPending, KeyRevoked, ProviderKeysMissing
	ConditionKeysReady = "KeysReady"

	// ConditionAvailable says whether enough pods serve: those whose containers run, and whose lock was proven.
	//
	// True:  PodsAvailable, ScaledToZero
	// False: Progressing, ContainerExited, ContainerCannotStart, GatePortTaken, Unschedulable, PodsRefused,
	//        PodsUnavailable
	ConditionAvailable = "Available"

	// ConditionAuthHealthy says whether the lock was seen to hold, pod by pod, since the last interval.
	//
	// True:    Proven
	// False:   UnauthenticatedAccepted, InvalidTokenAccepted, ValidTokenRejected, WrongAnswer, ConnectionReset,
	//          ConnectionClosed, ProbeTimeout, NotHTTP, TruncatedResponse, PodTampered, BypassReachable, ForeignEndpoint,
	//          CertificateUnusable, CertificateExpired, TLSNotServed, GateConfigMismatch
	// Unknown: NotYetProbed, NoPods, ScaledToZero, Unreachable, UpstreamUnavailable, WrongPodAnswered, ClockSkew,
	//          Inconclusive, ProbeCredentialMissing, EvidenceStale, GateNotConverged, ServiceMeshBlocked, ProviderKeysMissing,
	//          GateTerminating
	ConditionAuthHealthy = "AuthHealthy"

	// ConditionClientsRefused is present, and True, while every client with a token of some provider is refused although the
	// prober's own is let in: for ten minutes, and for a reason that speaks of what the spec says of that provider. Anybody
	// can make a token that names a provider, so Ready does not depend on it.
	//
	// True: ProviderRejectsEveryone
	ConditionClientsRefused = "ClientsRefused"

	// ConditionReconciling is present, and True, while what runs is not yet what the spec asks for (kstatus). Where pods
	// cannot run its reason is that of Available.
	//
	// True: UpgradePending, any reason for False of Available
	ConditionReconciling = "Reconciling"

	// ConditionStalled is present, and True, while nothing will happen until somebody acts (kstatus). Its reason is
	// that of the condition that is False.
	//
	// True: any reason for False of Accepted and KeysReady, but for KeyRevoked and ProviderKeysMissing
	ConditionStalled = "Stalled"
)

// Reasons of condition Ready alone.
const (
	// ReasonReady: the server runs, and its lock was seen to hold on every pod.
	ReasonReady = "Ready"
	// ReasonPending: no operator has looked at this MCPServer yet. If it stays so, look whether the operator runs, and
	// whether it watches this namespace. It is the default in the schema, so that nobody takes silence for success.
	ReasonPending = "Pending"
)

// Reasons of condition Accepted.
const (
	// ReasonAccepted: the spec can be carried out.
	ReasonAccepted = "Accepted"
	// ReasonNameTaken: an object that this MCPServer needs exists and belongs to somebody else. It is left alone.
	// Delete or rename it, or choose another name for the MCPServer.
	ReasonNameTaken = "NameTaken"
	// ReasonInvalidSpec: fields of the spec contradict each other in a way that the schema cannot tell, or one has a value
	// that the gate does not take. Nothing of the change is carried out; what runs stays. The message names each field.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonCertificateUnusable: the Secret of gate.tls is not there, or has no certificate with its key. What runs keeps
	// the one it has. AuthHealthy has this reason where a gate has none, and so refuses every connection.
	ReasonCertificateUnusable = "CertificateUnusable"
	// ReasonRevocationsUnusable: the ConfigMap of auth.revoked is not there, or has a line that is no entry; the message
	// names it. All other lines are in force, beside the last good list.
	ReasonRevocationsUnusable = "RevocationsUnusable"
	// ReasonGateBypass: the pods of this spec could be entered past the gate, or read its keys. Nothing of the change is
	// carried out; what runs stays. The message says which part of the spec it is.
	ReasonGateBypass = "GateBypass"
	// ReasonObjectRefused: the API server refuses an object that the spec asks for: it is invalid, a quota is used up, or
	// an admission policy forbids it. The message has the API server's words.
	ReasonObjectRefused = "ObjectRefused"
	// ReasonTemplateTampered: an admission webhook or policy changes the Deployment on its way into the API server, in a
	// way that could unlock its pods. These get no traffic.
	ReasonTemplateTampered = "TemplateTampered"
	// ReasonObjectTampered: an admission webhook or policy changes another object on its way into the API server. The
	// message names the field.
	ReasonObjectTampered = "ObjectTampered"
	// ReasonRouteUnsupported: the spec has a route, and the cluster has no HTTPRoute of the Gateway API. All else is
	// carried out. Install the Gateway API, or remove the route; it is looked for again every minute.
	ReasonRouteUnsupported = "RouteUnsupported"
	// ReasonRouteConflict: another MCPServer, which is older, has the same path on the same hostname of the same gateway, and
	// gets the requests. All else is carried out. The message names both; give one of them another path or hostname.
	ReasonRouteConflict = "RouteConflict"
)

// Reasons of condition KeysReady.
const (
	// ReasonKeysPublished: every provider has its keys: those made by Gatehouse and those of the cluster are published to
	// the gate, those that you bring are usable and mounted there. Remote ones the gate fetches itself. The message names
	// keys beside them that are at fault and not used.
	ReasonKeysPublished = "KeysPublished"
	// ReasonKeysRotating: likewise, and a key of type Managed is being replaced by a new one. The message says what is
	// waited for.
	ReasonKeysRotating = "KeysRotating"
	// ReasonGateSecretRotating: every provider has its keys, and the secret by which gates seal sessions (NAME-gate) is being
	// replaced by a new one. The message says what is waited for.
	ReasonGateSecretRotating = "GateSecretRotating"
	// ReasonKeysReplaced: every provider has its keys, but a key of type Managed is gone whose tokens clients may hold: the Secret
	// NAME-keys was deleted, replaced or restored. Those tokens are refused. The message names the keys, and what to do. It is told
	// until the last of the tokens has expired.
	ReasonKeysReplaced = "KeysReplaced"
	// ReasonProviderKeysMissing: for half a minute or longer a gate has had no keys of a provider, such as of an identity
	// provider that it cannot reach, and answers its tokens 503 (no_keys). Tokens of all other providers are judged as ever. The
	// message names each provider, how many pods lack its keys, and why. AuthHealthy has this reason, too: of that provider's
	// tokens nothing was seen.
	ReasonProviderKeysMissing = "ProviderKeysMissing"
	// ReasonKeyRevoked: a key was revoked, and not every pod was seen to refuse it yet: the message names those that were
	// not. Or it is to be revoked, and is not because the operator cannot write the objects with the keys: the message says so.
	ReasonKeyRevoked = "KeyRevoked"
	// ReasonKeyMissing: a Secret that the spec names is not there, or has no such data key. Pods keep what is mounted. The
	// message names the field: create the Secret, or name another.
	ReasonKeyMissing = "KeyMissing"
	// ReasonKeysUnusable: a Secret holds no key that can be used: it is too weak, badly written, private, or of an
	// algorithm that its provider does not list; or NAME-keys is not as Gatehouse wrote it. What runs keeps the keys it
	// has. The message says what is wrong. If it is NAME-keys, restore it, or delete it to have new keys made, which ends
	// all tokens.
	ReasonKeysUnusable = "KeysUnusable"
	// ReasonIssuerUnavailable: the API server does not tell its issuer of ServiceAccount tokens, which a provider of type
	// Cluster needs. What runs keeps the keys it has. Look at the API server's flags, and at the operator's role.
	ReasonIssuerUnavailable = "IssuerUnavailable"
	// ReasonKeysPending: no key was made yet, because the spec cannot be carried out; Accepted says why.
	ReasonKeysPending = "KeysPending"
)

// Reasons of condition Available.
const (
	// ReasonPodsAvailable: all the pods asked for serve.
	ReasonPodsAvailable = "PodsAvailable"
	// ReasonScaledToZero: replicas is 0. Also a reason of Ready and AuthHealthy.
	ReasonScaledToZero = "ScaledToZero"
	// ReasonProgressing: pods are starting or being replaced.
	ReasonProgressing = "Progressing"
	// ReasonContainerExited: a container ended, and is restarted again and again. The message has its exit code and last
	// words.
	ReasonContainerExited = "ContainerExited"
	// ReasonContainerCannotStart: the kubelet cannot start a container: image, configuration or security context.
	ReasonContainerCannotStart = "ContainerCannotStart"
	// ReasonGatePortTaken: the gate cannot listen, because another process of the pod has its port.
	ReasonGatePortTaken = "GatePortTaken"
	// ReasonUnschedulable: no node takes the pod.
	ReasonUnschedulable = "Unschedulable"
	// ReasonPodsRefused: the API server does not let the pods be made: a quota is used up, or an admission policy, such as
	// Pod Security, forbids them. The message has the API server's words.
	ReasonPodsRefused = "PodsRefused"
	// ReasonPodsUnavailable: pods run and do not become ready. The message says why.
	ReasonPodsUnavailable = "PodsUnavailable"
)

// Reasons of condition Reconciling alone.
const (
	// ReasonUpgradePending: the operator has another version, and this server keeps its pods until it is its turn to have
	// them replaced. The message says how many are at a time, and whether some do not get on.
	ReasonUpgradePending = "UpgradePending"
)

// Reasons of condition AuthHealthy.
const (
	// ReasonProven: every pod that counts refused each bad token for the right reason, and let the good one in.
	ReasonProven = "Proven"

	// ReasonUnauthenticatedAccepted: a pod let a request without a token in. The pod is taken out of the Service.
	ReasonUnauthenticatedAccepted = "UnauthenticatedAccepted"
	// ReasonInvalidTokenAccepted: a pod let a request with a bad token in. The pod is taken out of the Service.
	ReasonInvalidTokenAccepted = "InvalidTokenAccepted"
	// ReasonValidTokenRejected: a good token was refused. Clients are refused as well.
	ReasonValidTokenRejected = "ValidTokenRejected"
	// ReasonWrongAnswer: a bad token was refused, but not as it must be: another status, reason, challenge or body.
	ReasonWrongAnswer = "WrongAnswer"
	// ReasonConnectionReset: the gate's connection was reset (RST) before a whole answer.
	ReasonConnectionReset = "ConnectionReset"
	// ReasonConnectionClosed: the gate's connection was closed without an answer.
	ReasonConnectionClosed = "ConnectionClosed"
	// ReasonProbeTimeout: the gate did not answer in time.
	ReasonProbeTimeout = "ProbeTimeout"
	// ReasonTLSNotServed: the gate of a pod is to serve clients over TLS, and what answers on its port does not, or shows a
	// certificate that is not the gate's.
	ReasonTLSNotServed = "TLSNotServed"
	// ReasonCertificateExpired: the lock holds, but the gate of a pod shows clients a TLS certificate that has expired, so who
	// checks certificates does not connect. One that is about to expire is noted in the message of Proven.
	ReasonCertificateExpired = "CertificateExpired"
	// ReasonNotHTTP: what answers on the gate's port does not speak HTTP.
	ReasonNotHTTP = "NotHTTP"
	// ReasonTruncatedResponse: the answer ended before its declared end.
	ReasonTruncatedResponse = "TruncatedResponse"
	// ReasonPodTampered: a running pod is not as the operator made it, in a way that could unlock it, and is taken
	// out of the Service; or a pod that the Deployment did not make wears its labels, and so gets the Service's requests.
	ReasonPodTampered = "PodTampered"
	// ReasonGateConfigMismatch: the gate of a pod has loaded a key, a secret, a configuration or a list of revocations that the
	// operator has not published, or has replaced for longer than a change takes to reach a pod. The pod is taken out of the
	// Service.
	ReasonGateConfigMismatch = "GateConfigMismatch"
	// ReasonBypassReachable: a port of a pod that is not the gate's takes connections from outside the pod. The pod stays
	// in the Service: taking it out would close the gate, and not that port.
	ReasonBypassReachable = "BypassReachable"
	// ReasonForeignEndpoint: the Service sends requests to an address that is no proven pod of this server, or what answers
	// at its own address lets bad requests in.
	ReasonForeignEndpoint = "ForeignEndpoint"

	// ReasonNotYetProbed: no round has ended since the server, its pods or the operator started.
	ReasonNotYetProbed = "NotYetProbed"
	// ReasonNoPods: there is no pod to ask, or none whose gate runs. Available says why.
	ReasonNoPods = "NoPods"
	// ReasonUnreachable: the operator has no connection to the pods.
	ReasonUnreachable = "Unreachable"
	// ReasonUpstreamUnavailable: the gate refuses bad tokens, and answers a good one 502, 503 or 504, because the server
	// behind it is down, does not listen on port, or has no MCP endpoint at path. The message says which.
	ReasonUpstreamUnavailable = "UpstreamUnavailable"
	// ReasonWrongPodAnswered: what answered could not prove to be the gate of the pod that was asked.
	ReasonWrongPodAnswered = "WrongPodAnswered"
	// ReasonClockSkew: the clocks of the operator and a pod differ by more than the leeway, so no verdict is safe.
	ReasonClockSkew = "ClockSkew"
	// ReasonInconclusive: the pods answered, but with nothing that proves or disproves the lock, such as 429.
	ReasonInconclusive = "Inconclusive"
	// ReasonProbeCredentialMissing: the operator has no good token of any provider, or none that the server behind the gate takes,
	// and a refused bad one proves nothing. The message says for each provider why.
	ReasonProbeCredentialMissing = "ProbeCredentialMissing"
	// ReasonEvidenceStale: no round came to a result for too long: one more than failureThreshold and a minute, or, while
	// the operator was away, twenty minutes or two intervals.
	ReasonEvidenceStale = "EvidenceStale"
	// ReasonGateNotConverged: the gate refuses bad tokens, but does not run what the spec asks for: its self-test, its
	// configuration or its keys are not as they must be.
	ReasonGateNotConverged = "GateNotConverged"
	// ReasonGateTerminating: the gate of a pod was told that the pod is ending, and ends the streams of its clients, but nobody
	// ends the pod. Its lock holds.
	ReasonGateTerminating = "GateTerminating"
	// ReasonServiceMeshBlocked: the mesh proxies of all pods that have one cut the operator's connections, so nothing is known
	// of the gate behind them.
	ReasonServiceMeshBlocked = "ServiceMeshBlocked"
)

// EventProberSuspect is the reason of the one Event that tells that the prober doubts itself: it saw the locks of more
// than a fifth of the servers, and of three at least, open within one interval, and takes no pod out of its Service until
// the share falls. The metric gatehouse_prober_suspect is 1 meanwhile.
const EventProberSuspect = "ProberSuspect"

// Reasons of condition ClientsRefused.
const (
	// ReasonProviderRejectsEveryone: for ten minutes every client with a token of some provider was refused while the
	// prober's own token was let in. AuthHealthy stays True, and its message says the same for as long as it is so: the
	// reasons, and what a gate compared. One Event of this reason tells the beginning.
	ReasonProviderRejectsEveryone = "ProviderRejectsEveryone"
)

// EventObjectRenamed is the reason of the Event that tells that a Secret or ConfigMap of a server goes by another name, because
// it could not be written under the one that it had. It names both, and says why.
const EventObjectRenamed = "ObjectRenamed"

// EventGateSecretRotated is the reason of the Events that tell how far the turnover of a gate's secret is: asked for by
// AnnotationRotateGateSecret, in use on every pod, and done.
const EventGateSecretRotated = "GateSecretRotated"

// ConditionPodAuthProven is the readiness gate on each pod: True once its lock was proven, False once it was seen
// open. Setting it to True by hand lets a pod take traffic without proof; the operator then leaves it so.
const ConditionPodAuthProven = "mcp.gatehouse.dev/auth-proven"

// EventManualEditReverted is the reason of the Events that tell that somebody has changed an object past its MCPServer, which
// fields by which tool, and that the operator has put it right.
const EventManualEditReverted = "ManualEditReverted"

// AnnotationMountedRevision, on pods, changes with the keys and the configuration that their gate mounts.
const AnnotationMountedRevision = "mcp.gatehouse.dev/mounted-revision"

// AnnotationConfigSchema, on pods and their templates, is the version of the configuration's schema that their gate
// reads. Without it, it is 1.
const AnnotationConfigSchema = "mcp.gatehouse.dev/config-schema"

// Annotations by which people ask for something, on MCPServers.
const (
	// AnnotationRotateKeys asks for a new signing key of the Managed provider. Each new value asks once more; a time is a
	// good one.
	AnnotationRotateKeys = "mcp.gatehouse.dev/rotate-keys"
	// AnnotationRotateGateSecret asks for a new secret of the gate, by which sessions are sealed (Secret NAME-gate). Each new
	// value asks once more; a time is a good one. No session is lost: the secret before it opens sessions for a day.
	AnnotationRotateGateSecret = "mcp.gatehouse.dev/rotate-gate-secret"
	// AnnotationRevokeKey holds the kid of a key of the Managed provider that must be refused at once, whatever tokens it
	// has signed. It may stay: a key of that id is never published again.
	AnnotationRevokeKey = "mcp.gatehouse.dev/revoke-key"
)

// Labels on every object that belongs to an MCPServer.
const (
	// LabelServer holds the MCPServer's name.
	LabelServer = "mcp.gatehouse.dev/server"
	// LabelInstance holds the MCPServer's UID: pods of a deleted namesake do not match.
	LabelInstance = "mcp.gatehouse.dev/instance"
)
