//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// prometheus is one that scrapes what the monitors of config/prometheus select, with the labels that the Prometheus operator
// gives to targets, and evaluates the rules beside them every two seconds. Debian builds it without the discovery of
// Kubernetes: the story gives it the targets, with the labels that the discovery would give them.
type prometheus struct{ pod types.NamespacedName }

// startPrometheus runs one in a namespace, which scrapes the operator and the gates of these servers.
func startPrometheus(ctx context.Context, namespace string, servers ...*v1alpha1.MCPServer) prometheus {
	GinkgoHelper()
	Expect(missing("PROMETHEUS_IMG")).To(Succeed(), "or leave this story out with LABEL='!alerts'")
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "prometheus"}}
	Expect(k8s.Create(ctx, account)).To(Succeed())
	// As docs/install.md says.
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "gatehouse-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: account.Name}},
	}
	Expect(k8s.Create(ctx, binding)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, binding)).To(Succeed()) })
	files := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "prometheus"}, Data: map[string]string{
		"prometheus.yml": yamlOf(jsonObject{
			"global":     jsonObject{"scrape_interval": "2s", "evaluation_interval": "2s"},
			"rule_files": []string{"/etc/prometheus/rules.yml"},
			"scrape_configs": []any{
				serviceJob(readManifest("service_monitor.yaml"), operatorTargets(ctx)), podJob(readManifest("pod_monitor.yaml"), gateTargets(ctx, servers)),
			},
		}),
		"rules.yml": yamlOf(jsonObject{"groups": readManifest("rules.yaml").Spec.Groups}),
	}}
	Expect(k8s.Create(ctx, files)).To(Succeed())
	pod := prometheusPod(namespace, account.Name)
	Expect(k8s.Create(ctx, pod)).To(Succeed())
	Eventually(isReady).WithContext(ctx).WithArguments(pod).Should(BeTrue(), "Prometheus does not run; image %s", os.Getenv("PROMETHEUS_IMG"))
	return prometheus{types.NamespacedName{Namespace: namespace, Name: pod.Name}}
}

func prometheusPod(namespace, account string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "prometheus"},
		Spec: corev1.PodSpec{
			ServiceAccountName: account, TerminationGracePeriodSeconds: ptrTo(int64(1)),
			Containers: []corev1.Container{{
				Name: "prometheus", Image: os.Getenv("PROMETHEUS_IMG"), SecurityContext: restricted(),
				Args: []string{"--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/data", "--web.listen-address=:9090"},
				VolumeMounts: []corev1.VolumeMount{
					{Name: "files", MountPath: "/etc/prometheus"}, {Name: "data", MountPath: "/data"},
				},
				ReadinessProbe: &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{
					HTTPGet: &corev1.HTTPGetAction{Path: "/-/ready", Port: portOf("9090")},
				}},
			}},
			Volumes: []corev1.Volume{
				{Name: "files", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "prometheus"}}}},
				{Name: "data", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			},
		},
	}
}

// get asks its HTTP API, and returns the member "data" of the answer.
func (p prometheus) get(ctx context.Context, path string, query map[string]string, into any) error {
	request := typed.CoreV1().RESTClient().Get().Namespace(p.pod.Namespace).Resource("pods").Name(p.pod.Name + ":9090").
		SubResource("proxy").Suffix("api/v1/" + path)
	for name, value := range query {
		request = request.Param(name, value)
	}
	data, err := request.DoRaw(ctx)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, &struct {
		Data any `json:"data"`
	}{into})
}

// alert is one that fires or is about to.
type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	State       string            `json:"state"`
}

// firing are the alerts that fire and name a namespace.
func (p prometheus) firing(ctx context.Context, namespace string) ([]alert, error) {
	var all struct {
		Alerts []alert `json:"alerts"`
	}
	if err := p.get(ctx, "alerts", nil, &all); err != nil {
		return nil, err
	}
	out := []alert{}
	for _, a := range all.Alerts {
		if a.State == "firing" && (a.Labels["namespace"] == namespace || strings.Contains(a.Annotations["summary"], namespace)) {
			out = append(out, a)
		}
	}
	return out, nil
}

// value is that of the first sample of an expression; empty if it has none.
func (p prometheus) value(ctx context.Context, expression string) (string, error) {
	var out struct {
		Result []struct {
			Value [2]any `json:"value"`
		} `json:"result"`
	}
	if err := p.get(ctx, "query", map[string]string{"query": expression}, &out); err != nil || len(out.Result) == 0 {
		return "", err
	}
	return fmt.Sprint(out.Result[0].Value[1]), nil
}
