//go:build e2e

package e2e_test

import (
	"context"
	"net"
	"os"
	"regexp"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// jsonObject is a map of YAML or JSON.
type jsonObject = map[string]any

// manifest is one of config/prometheus, as far as it is used here.
type manifest struct {
	Spec struct {
		Groups   any `json:"groups"`
		Selector struct {
			MatchLabels map[string]string `json:"matchLabels"`
		} `json:"selector"`
		Endpoints           []monitorEndpoint `json:"endpoints"`
		PodMetricsEndpoints []monitorEndpoint `json:"podMetricsEndpoints"`
	} `json:"spec"`
}

type monitorEndpoint struct {
	Port            string `json:"port"`
	Path            string `json:"path"`
	Scheme          string `json:"scheme"`
	BearerTokenFile string `json:"bearerTokenFile"`
	HonorLabels     bool   `json:"honorLabels"`
	TLSConfig       struct {
		InsecureSkipVerify bool `json:"insecureSkipVerify"`
	} `json:"tlsConfig"`
	Relabelings []struct {
		SourceLabels []string `json:"sourceLabels"`
		TargetLabel  string   `json:"targetLabel"`
		Replacement  string   `json:"replacement"`
	} `json:"relabelings"`
}

func readManifest(name string) manifest {
	GinkgoHelper()
	data, err := os.ReadFile("../../config/prometheus/" + name)
	Expect(err).NotTo(HaveOccurred())
	var out manifest
	Expect(yaml.Unmarshal(data, &out)).To(Succeed())
	return out
}

func yamlOf(value any) string {
	GinkgoHelper()
	data, err := yaml.Marshal(value)
	Expect(err).NotTo(HaveOccurred())
	return string(data)
}

// serviceJob is the scrape configuration that the Prometheus operator makes of a ServiceMonitor in the operator's namespace.
func serviceJob(monitor manifest, targets []any) jsonObject {
	endpoint := monitor.Spec.Endpoints[0]
	relabel := append(keepTargets("service", monitor), jsonObject{
		"action": "keep", "source_labels": []string{"__meta_kubernetes_endpoint_port_name"}, "regex": endpoint.Port,
	})
	relabel = append(relabel, copied("namespace", "namespace"), copied("service_name", "service"), copied("pod_name", "pod"),
		copied("pod_container_name", "container"), copied("service_name", "job"), jsonObject{"target_label": "endpoint", "replacement": endpoint.Port})
	return jsonObject{
		"job_name": "serviceMonitor", "honor_labels": endpoint.HonorLabels, "scheme": endpoint.Scheme,
		"authorization":   jsonObject{"credentials_file": endpoint.BearerTokenFile},
		"tls_config":      jsonObject{"insecure_skip_verify": endpoint.TLSConfig.InsecureSkipVerify},
		"static_configs":  targets,
		"relabel_configs": append(relabel, relabelings(endpoint)...),
	}
}

// podJob is that of a PodMonitor for all namespaces.
func podJob(monitor manifest, targets []any) jsonObject {
	endpoint := monitor.Spec.PodMetricsEndpoints[0]
	relabel := append(keepTargets("pod", monitor), jsonObject{
		"action": "keep", "source_labels": []string{"__meta_kubernetes_pod_container_port_name"}, "regex": endpoint.Port,
	}, jsonObject{"action": "drop", "source_labels": []string{"__meta_kubernetes_pod_phase"}, "regex": "(Failed|Succeeded)"})
	relabel = append(relabel, copied("namespace", "namespace"), copied("pod_container_name", "container"), copied("pod_name", "pod"),
		jsonObject{"target_label": "job", "replacement": "gatehouse-system/gatehouse-gates"}, jsonObject{"target_label": "endpoint", "replacement": endpoint.Port})
	return jsonObject{
		"job_name": "podMonitor", "metrics_path": endpoint.Path, "static_configs": targets,
		"relabel_configs": append(relabel, relabelings(endpoint)...),
	}
}

var notInLabels = regexp.MustCompile(`[^A-Za-z0-9_]`)

// keepTargets keeps targets of the monitor's selector; of is "service" or "pod".
func keepTargets(of string, monitor manifest) []any {
	var out []any
	for name, value := range monitor.Spec.Selector.MatchLabels {
		out = append(out, jsonObject{
			"action": "keep", "source_labels": []string{"__meta_kubernetes_" + of + "_label_" + notInLabels.ReplaceAllString(name, "_")}, "regex": value,
		})
	}
	return out
}

func copied(from, to string) jsonObject {
	return jsonObject{"source_labels": []string{"__meta_kubernetes_" + from}, "target_label": to}
}

// relabelings are the endpoint's own, in Prometheus's spelling.
func relabelings(of monitorEndpoint) []any {
	var out []any
	for _, each := range of.Relabelings {
		renamed := jsonObject{"target_label": each.TargetLabel}
		if len(each.SourceLabels) > 0 {
			renamed["source_labels"] = each.SourceLabels
		}
		if each.Replacement != "" {
			renamed["replacement"] = each.Replacement
		}
		out = append(out, renamed)
	}
	return out
}

// operatorTargets are the pods behind the operator's Service, by the port of its metrics.
func operatorTargets(ctx context.Context) []any {
	GinkgoHelper()
	var services corev1.ServiceList
	Expect(k8s.List(ctx, &services, client.InNamespace("gatehouse-system"))).To(Succeed())
	var out []any
	for _, service := range services.Items {
		var pods corev1.PodList
		Expect(k8s.List(ctx, &pods, client.InNamespace(service.Namespace), client.MatchingLabels(service.Spec.Selector))).To(Succeed())
		for _, pod := range pods.Items {
			for _, port := range service.Spec.Ports {
				meta := discovered("service", service.Labels)
				meta["__meta_kubernetes_service_name"] = service.Name
				meta["__meta_kubernetes_endpoint_port_name"] = port.Name
				out = append(out, scrapeTarget(pod, pod.Spec.Containers[0].Name, port.Port, meta))
			}
		}
	}
	Expect(out).NotTo(BeEmpty())
	return out
}

// gateTargets are all ports of the servers' pods.
func gateTargets(ctx context.Context, servers []*v1alpha1.MCPServer) []any {
	GinkgoHelper()
	var out []any
	for _, server := range servers {
		for _, pod := range podsOf(ctx, server) {
			for _, container := range append(pod.Spec.Containers, pod.Spec.InitContainers...) {
				for _, port := range container.Ports {
					meta := discovered("pod", pod.Labels)
					meta["__meta_kubernetes_pod_container_port_name"] = port.Name
					out = append(out, scrapeTarget(pod, container.Name, port.ContainerPort, meta))
				}
			}
		}
	}
	Expect(out).NotTo(BeEmpty())
	return out
}

// scrapeTarget is one as the discovery finds it.
func scrapeTarget(pod corev1.Pod, container string, port int32, meta jsonObject) jsonObject {
	meta["__meta_kubernetes_namespace"] = pod.Namespace
	meta["__meta_kubernetes_pod_name"] = pod.Name
	meta["__meta_kubernetes_pod_container_name"] = container
	meta["__meta_kubernetes_pod_phase"] = string(pod.Status.Phase)
	return jsonObject{"targets": []string{net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(port)))}, "labels": meta}
}

// discovered are the labels of an object as the discovery spells them; of is "service" or "pod".
func discovered(of string, labels map[string]string) jsonObject {
	out := jsonObject{}
	for name, value := range labels {
		out["__meta_kubernetes_"+of+"_label_"+notInLabels.ReplaceAllString(name, "_")] = value
	}
	return out
}
