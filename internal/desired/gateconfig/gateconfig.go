package gateconfig

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

const (
	// EndpointSeconds is how long a pod that ends waits for kube-proxy and gateways to take it out.
	EndpointSeconds = 5
	// ExitSeconds is what server and gate get to exit once drained.
	ExitSeconds = 15
)

// ConfigMap is the ConfigMap with the gate's configuration, in each schema that gates need.
func ConfigMap(s *v1alpha1.MCPServer, in desired.Inputs) (*corev1ac.ConfigMapApplyConfiguration, error) {
	files, _, err := configFiles(s, in)
	if err != nil {
		return nil, err
	}
	spec, err := gateSpecOf(s.Spec).encode()
	if err != nil {
		return nil, err
	}
	return corev1ac.ConfigMap(desired.GateConfigName(s), s.Namespace).
		WithLabels(desired.Labels(s)).
		WithAnnotations(desired.Annotations(s, map[string]string{v1alpha1.AnnotationSpec: spec})).
		WithOwnerReferences(desired.Owner(s)).
		WithImmutable(false).
		WithData(files), nil
}

// Untold says of which part of the spec gates of another schema cannot be told. It is over when they are replaced.
func Untold(s *v1alpha1.MCPServer, in desired.Inputs) ([]string, error) {
	_, untold, err := configFiles(s, in)
	return untold, err
}

func configFiles(s *v1alpha1.MCPServer, in desired.Inputs) (files map[string]string, untold []string, err error) {
	config, err := Of(s, in)
	if err != nil {
		return nil, nil, err
	}
	data, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return nil, nil, fmt.Errorf("gate configuration: %w", err)
	}
	if _, err := gateapi.ParseConfig(data); err != nil {
		return nil, nil, &desired.InvalidError{Problem: inSpec(err.Error())}
	}
	settings := desired.Resolve(s)
	key, err := KeyBy(settings)
	if err != nil {
		return nil, nil, err
	}
	files = map[string]string{key: string(data) + "\n"}
	return files, addOldConfigs(files, files[key], settings, in), nil
}

// Of is the configuration that gates of this release are told.
func Of(s *v1alpha1.MCPServer, in desired.Inputs) (gateapi.Config, error) {
	settings := desired.Resolve(s)
	gate := cmp.Or(s.Spec.Gate, &v1alpha1.Gate{})
	auth := *cmp.Or(s.Spec.Auth, &v1alpha1.Auth{})
	metadata := ResourceMetadata(auth)
	if problem := unlikeResource(s, gate.TrailingSlash == v1alpha1.TrailingSlashSame); problem != "" {
		return gateapi.Config{}, &desired.InvalidError{Problem: problem}
	}
	hosts, err := allowedHosts(s, in, metadata)
	if err != nil {
		return gateapi.Config{}, err
	}
	config := gateapi.Config{
		Server:       gateapi.ServerID{Namespace: s.Namespace, Name: s.Name, UID: string(s.UID)},
		Port:         settings.GatePort,
		AdminPort:    settings.AdminPort,
		FallbackPort: settings.FallbackPort,
		CanaryPort:   settings.CanaryPort,
		TLS:          settings.TLSSecret != "",
		LogLevel:     strings.ToLower(string(gate.LogLevel)),
		Upstream: gateapi.Upstream{
			Port:                 settings.Port,
			Path:                 settings.Path,
			TrailingSlash:        gate.TrailingSlash == v1alpha1.TrailingSlashSame,
			ExtraPaths:           gate.ExtraPaths,
			HealthPath:           settings.HealthPath,
			ForwardAuthorization: settings.ForwardAuthorization,
			ClaimHeaders:         claimHeaders(auth),
			BareServer:           bareServerMode(settings),
		},
		AllowedHosts:        hosts,
		AllowedOrigins:      gate.AllowedOrigins,
		Authorization:       Authorization(s),
		RequiresRevocations: true,
		ResourceMetadata:    metadata,
		HealthPaths:         settings.HealthPaths,
		SessionBinding:      gateapi.SessionBinding(settings.SessionBinding),
		Limits:              desired.GateLimits(auth),
		ProbeKey:            probeKey(settings, in.ProbeKey),
		Drain:               gateapi.Drain{EndpointSeconds: EndpointSeconds, RequestSeconds: settings.DrainSeconds},
	}
	for _, provider := range settings.Providers {
		config.Providers = append(config.Providers, gateProvider(provider, in))
	}
	return config, nil
}
