package podlock

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// maxViolations and maxDifferences bound what a message lists; more are counted.
const (
	maxViolations  = 8
	maxDifferences = 3
)

// Describe lists all violations, so that nobody has to mend one to see the next. None gives nothing.
func Describe(violations []Violation) string {
	var all []string
	for _, v := range violations[:min(len(violations), maxViolations)] {
		all = append(all, v.String())
	}
	if more := len(violations) - maxViolations; more > 0 {
		all = append(all, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, "; ")
}

// injectors are known by a container that they put into pods, or by a variable that they put into the gate.
var injectors = []struct {
	containers, variables []string
	name, cure            string
}{
	{[]string{"istio-proxy", "istio-init", "istio-validation"}, nil, "the sidecar injector of Istio",
		`give the server pod.annotations sidecar.istio.io/rewriteAppHTTPProbers: "false" and pod.serviceAccountName an account of its own, or keep Istio out of its pods with sidecar.istio.io/inject: "false"`},
	{[]string{"linkerd-proxy", "linkerd-init", "linkerd-network-validator"}, nil, "the proxy injector of Linkerd",
		`keep it out of the pods with pod.annotations linkerd.io/inject: disabled`},
	{[]string{"vault-agent", "vault-agent-init"}, nil, "the agent injector of Vault",
		`keep it out of the pods with pod.annotations vault.hashicorp.com/agent-inject: "false"`},
	{[]string{"kuma-sidecar", "kuma-init"}, nil, "the sidecar injector of Kuma",
		`keep it out of the pods with pod.labels kuma.io/sidecar-injection: disabled`},
	{[]string{"consul-dataplane", "consul-connect-inject-init"}, nil, "the injector of Consul",
		`keep it out of the pods with pod.annotations consul.hashicorp.com/connect-inject: "false"`},
	{[]string{"daprd"}, []string{"DAPR_HTTP_PORT", "DAPR_GRPC_PORT"}, "the sidecar injector of Dapr",
		`keep it out of the pods with pod.annotations dapr.io/enabled: "false"`},
	{nil, []string{"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"}, "the identity webhook of EKS",
		`keep it from the gate with pod.annotations eks.amazonaws.com/skip-containers: authproxy`},
	{nil, []string{"AZURE_FEDERATED_TOKEN_FILE"}, "the workload identity webhook of Azure",
		`keep it from the gate with pod.annotations azure.workload.identity/skip-containers: authproxy`},
	{nil, []string{"DD_AGENT_HOST", "DD_ENTITY_ID", "DD_TRACE_AGENT_URL"}, "the admission controller of Datadog",
		`keep it out of the pods with pod.labels admission.datadoghq.com/enabled: "false"`},
	{nil, []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"}, "the instrumentation of the OpenTelemetry operator",
		`keep it from the gate with pod.annotations instrumentation.opentelemetry.io/container-names: mcp`},
}

// evidence says what in a pod shows that an injector was there; empty if nothing does.
func evidence(pod corev1.PodSpec, containers, variables []string) string {
	for _, c := range allContainers(pod) {
		if slices.Contains(containers, c.Name) {
			return "Container " + c.Name
		}
		if !desired.IsGate(c) {
			continue
		}
		for _, variable := range c.Env {
			if slices.Contains(variables, variable.Name) {
				return "Variable " + variable.Name + " of container " + c.Name
			}
		}
	}
	return ""
}

// Cure says as sentences what to do about the violations of a pod, as far as the pod shows who made them; "" if it does not.
func Cure(pod corev1.PodSpec, lock Lock, violations []Violation) string {
	var sentences []string
	for _, injector := range injectors {
		if found := evidence(pod, injector.containers, injector.variables); found != "" {
			sentences = append(sentences, fmt.Sprintf("%s shows that %s was here: %s.", found, injector.name, injector.cure))
		}
	}
	if i := slices.IndexFunc(pod.InitContainers, desired.IsGate); i >= 0 && len(violations) > 0 && pod.InitContainers[i].Image != lock.Gate.Image {
		sentences = append(sentences, "If a webhook sends images to a mirror, give the operator the gate's image by the name that the webhook makes of it, "+
			"with a digest (--authproxy-image).")
	}
	return strings.Join(sentences, " ")
}

// differences says what of a part of the gate was changed, with both values. Those of variables are not shown.
func differences(got, want any) string {
	was, is := map[string]string{}, map[string]string{}
	flatten("", plainOf(want), was)
	flatten("", plainOf(got), is)
	paths := maps.Clone(was)
	maps.Copy(paths, is)
	var all []string
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if was[path] != is[path] {
			all = append(all, strings.TrimPrefix(path+" ", " ")+"from "+valueOf(path, was)+" to "+valueOf(path, is))
		}
	}
	if more := len(all) - maxDifferences; more > 0 {
		all = append(all[:maxDifferences], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, ", ")
}

func valueOf(path string, values map[string]string) string {
	const longest = 200
	value, found := values[path]
	switch {
	case !found:
		return "nothing"
	case strings.HasSuffix(path, ".value"):
		return "a value"
	case len(value) > longest:
		return value[:longest] + "…"
	default:
		return value
	}
}

// plainOf gives maps, lists and scalars of any part of a pod.
func plainOf(part any) any {
	data, err := json.Marshal(part)
	if err != nil {
		return nil
	}
	var plain any
	if err := json.Unmarshal(data, &plain); err != nil {
		return nil
	}
	return plain
}

// flatten lists the scalars in a value by their paths, such as httpGet.path.
func flatten(path string, value any, into map[string]string) {
	switch value := value.(type) {
	case nil:
	case map[string]any:
		for name, child := range value {
			flatten(strings.TrimPrefix(path+"."+name, "."), child, into)
		}
	case []any:
		for i, child := range value {
			flatten(fmt.Sprintf("%s[%d]", path, i), child, into)
		}
	default:
		into[path] = fmt.Sprint(value)
	}
}
