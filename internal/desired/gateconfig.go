package desired

import (
	"encoding/json"
	"fmt"
	"strings"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
)

const (
	// endpointSeconds is how long a pod that ends waits for kube-proxy and gateways to take it out.
	endpointSeconds = 5
	// exitSeconds is what server and gate get to exit once drained.
	exitSeconds = 15
)

// GateConfig is the ConfigMap with the gate's configuration, in each schema that gates need.
func GateConfig(s *v1alpha1.MCPServer, in Inputs) (*corev1ac.ConfigMapApplyConfiguration, error) {
	files, _, err := configFiles(s, in)
	if err != nil {
		return nil, err
	}
	spec, err := gateSpecOf(s.Spec).encode()
	if err != nil {
		return nil, err
	}
	return corev1ac.ConfigMap(GateConfigName(s), s.Namespace).
		WithLabels(labels(s)).
		WithAnnotations(map[string]string{v1alpha1.AnnotationSpec: spec}).
		WithOwnerReferences(owner(s)).
		WithData(files), nil
}

// Untold says of which part of the spec gates of another schema cannot be told. It is over when they are replaced.
func Untold(s *v1alpha1.MCPServer, in Inputs) ([]string, error) {
	_, untold, err := configFiles(s, in)
	return untold, err
}

func configFiles(s *v1alpha1.MCPServer, in Inputs) (files map[string]string, untold []string, err error) {
	config, err := gateConfig(s, in)
	if err != nil {
		return nil, nil, err
	}
	data, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return nil, nil, fmt.Errorf("gate configuration: %w", err)
	}
	if _, err := authproxy.ParseConfig(data); err != nil {
		return nil, nil, &InvalidError{Problem: inSpec(err.Error())}
	}
	files = map[string]string{authproxy.ConfigFile: string(data) + "\n"}
	return files, addOldConfigs(files, in), nil
}

func gateConfig(s *v1alpha1.MCPServer, in Inputs) (authproxy.Config, error) {
	settings := Resolve(s)
	gate := firstNonNil(s.Spec.Gate, &v1alpha1.Gate{})
	auth := *firstNonNil(s.Spec.Auth, &v1alpha1.Auth{})
	metadata := resourceMetadata(auth)
	hosts, err := allowedHosts(s, in, metadata)
	if err != nil {
		return authproxy.Config{}, err
	}
	config := authproxy.Config{
		Server:     authproxy.ServerID{Namespace: s.Namespace, Name: s.Name, UID: string(s.UID)},
		Port:       settings.GatePort,
		AdminPort:  settings.AdminPort,
		CanaryPort: settings.CanaryPort,
		TLS:        settings.TLSSecret != "",
		LogLevel:   strings.ToLower(string(gate.LogLevel)),
		Upstream: authproxy.Upstream{
			Port:                 settings.Port,
			Path:                 settings.Path,
			TrailingSlash:        gate.TrailingSlash == v1alpha1.TrailingSlashSame,
			ExtraPaths:           gate.ExtraPaths,
			HealthPath:           settings.HealthPath,
			ForwardAuthorization: settings.ForwardAuthorization,
			ClaimHeaders:         claimHeaders(auth),
			BareServer:           bareServerMode(settings),
		},
		AllowedHosts:     hosts,
		AllowedOrigins:   gate.AllowedOrigins,
		Authorization:    Authorization(s),
		ResourceMetadata: metadata,
		SessionBinding:   sessionBinding(auth),
		Limits:           limits(auth),
		ProbeKey:         probeKey(settings, in.ProbeKey),
		Drain:            authproxy.Drain{EndpointSeconds: endpointSeconds, RequestSeconds: settings.DrainSeconds},
	}
	for _, provider := range settings.Providers {
		config.Providers = append(config.Providers, gateProvider(provider, in))
	}
	return config, nil
}
