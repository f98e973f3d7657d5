package desired

import "github.com/mcp-gatehouse/gatehouse/internal/keys"

// Inputs is what the objects depend on besides the MCPServer.
type Inputs struct {
	// Keys are the published keys per Managed provider, the first of each signs.
	Keys map[string][]keys.Private
	// Rotations is what is stored beside them, per Managed provider.
	Rotations map[string][]byte
	// Cluster is the cluster's own issuer; it is asked for by providers of type Cluster only.
	Cluster Issuer
	// ProbeKey is the public half of the server's probe key; nil: there is none.
	ProbeKey *keys.Public
	// LentKey is the id of the shared secret that the server gets as well, and reads at its start only; see Lends.
	LentKey string
	// Revoked is the users' list of what is no longer accepted, as they wrote it.
	Revoked string
	// GateSecret is the data of the Secret that gate and operator share; see package turnover.
	GateSecret map[string][]byte
	// Schemas are those of the gate's configuration that gates need besides the present one.
	Schemas []int
	// OldConfigs are those that gates of other templates need.
	OldConfigs []OldConfig
	// ConfigFiles are what gates are given now, by the name of the file.
	ConfigFiles map[string]string
	// Ports are those of gates that are in use.
	Ports PortsInUse
	// KeyFiles are the public keys as they are published now, by the name of the file.
	KeyFiles map[string]string
	// GateImage is the image of the gate.
	GateImage string
	// ClusterDomain is the DNS suffix of the cluster, usually cluster.local.
	ClusterDomain string
	// OperatorNamespace and OperatorLabels find the operator's pods, which must reach the gate's admin port. An empty
	// namespace means that the operator runs outside the cluster.
	OperatorNamespace string
	OperatorLabels    map[string]string
	// ReadinessGatesOff leaves the readiness gate out of every pod template, whatever the specs say.
	ReadinessGatesOff bool
}

// OldConfig is a configuration that gates of another template than the spec's read.
type OldConfig struct {
	// Key is its data key of the ConfigMap, and Schema what its gates read.
	Key    string
	Schema int
	// Files are those of yours that all these gates have.
	Files []string
}

// PortsInUse are those of gates.
type PortsInUse struct{ Clients, Admin []int32 }

// InvalidError says that the gate cannot work by a spec that admission let pass. Nothing may be applied.
type InvalidError struct {
	// Problem names the fields of the spec, and what is wrong with each.
	Problem string
}

func (e *InvalidError) Error() string { return e.Problem }
