package desired

import (
	"encoding/json"
	"fmt"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
)

const (
	// endpointSeconds is how long a pod that ends waits for kube-proxy and gateways to take it out.
	endpointSeconds = 5
	// exitSeconds is what server and gate get to exit once drained.
	exitSeconds = 15

	bodyBytes  = 4 << 20
	tokenBytes = 8 << 10

	failuresPerSecond = 20
	failureBurst      = 100
	// streamsPerCaller is more than a person's clients hold open at once.
	streamsPerCaller = 64
	streamMaxSeconds = 3600
)

// GateConfig is the ConfigMap with the gate's configuration.
func GateConfig(s *v1alpha1.MCPServer, in Inputs) (*corev1ac.ConfigMapApplyConfiguration, error) {
	data, err := json.MarshalIndent(gateConfig(s, in), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("gate configuration: %w", err)
	}
	if _, err := authproxy.ParseConfig(data); err != nil {
		return nil, &InvalidError{Problem: inSpec(err.Error())}
	}
	return corev1ac.ConfigMap(GateConfigName(s), s.Namespace).
		WithLabels(labels(s)).
		WithOwnerReferences(owner(s)).
		WithData(map[string]string{authproxy.ConfigFile: string(data) + "\n"}), nil
}

func gateConfig(s *v1alpha1.MCPServer, in Inputs) authproxy.Config {
	settings := Resolve(s)
	gate := firstNonNil(s.Spec.Gate, &v1alpha1.Gate{})
	config := authproxy.Config{
		Server:     authproxy.ServerID{Namespace: s.Namespace, Name: s.Name, UID: string(s.UID)},
		Port:       settings.GatePort,
		AdminPort:  settings.AdminPort,
		CanaryPort: settings.CanaryPort,
		Upstream: authproxy.Upstream{
			Port:                 settings.Port,
			Path:                 settings.Path,
			HealthPath:           settings.HealthPath,
			ForwardAuthorization: settings.ForwardAuthorization,
			BareServer:           bareServerMode(settings),
		},
		AllowedHosts:   allowedHosts(s, in),
		AllowedOrigins: gate.AllowedOrigins,
		SessionBinding: authproxy.SessionBindingCaller,
		Limits: authproxy.Limits{
			BodyBytes: bodyBytes, TokenBytes: tokenBytes, FailuresPerSecond: failuresPerSecond, FailureBurst: failureBurst,
			Streams: streamsPerCaller, StreamMaxSeconds: streamMaxSeconds,
		},
		Drain: authproxy.Drain{EndpointSeconds: endpointSeconds, RequestSeconds: settings.DrainSeconds},
	}
	for _, provider := range settings.Providers {
		config.Providers = append(config.Providers, gateProvider(provider, in))
	}
	return config
}
