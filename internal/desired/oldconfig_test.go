package desired_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Gates of a newer operator keep their file beside that of ours: an operator that was rolled back must not take it away.
func TestFilesOfOtherSchemasStayWhileGatesReadThem(t *testing.T) {
	in := inputs(t)
	in.ConfigFiles = map[string]string{"authproxy.v7.json": "of seven", "authproxy.v8.json": "of eight", gateapi.ConfigFile: "old"}
	in.Schemas = []int{7, 9}
	server := read(t, "testdata/generic/in.yaml")
	config, err := gateconfig.ConfigMap(server, in)
	if err != nil {
		t.Fatal(err)
	}
	if len(config.Data) != 2 || config.Data["authproxy.v7.json"] != "of seven" || !strings.Contains(config.Data[gateapi.ConfigFile], "everything") {
		t.Errorf("got %v", config.Data)
	}
	untold, err := gateconfig.Untold(server, in)
	want := []string{
		"Gates with schema v7 keep the configuration that they have, as they belong to a newer operator.",
		"Gates with schema v9 keep the configuration that they have, as they belong to a newer operator.",
	}
	if diff := cmp.Diff(want, untold); diff != "" || err != nil {
		t.Errorf("%s, %v", diff, err)
	}
}

func TestSchemasBeside(t *testing.T) {
	reads := func(version string) corev1.PodTemplateSpec {
		var template corev1.PodTemplateSpec
		template.Annotations = map[string]string{v1alpha1.AnnotationConfigSchema: version}
		return template
	}
	owned := func(uid, by types.UID) metav1.ObjectMeta {
		return metav1.ObjectMeta{UID: uid, OwnerReferences: []metav1.OwnerReference{{UID: by, Controller: ptr.To(true)}}}
	}
	set := func(uid, by types.UID, version string, wanted, there int32) appsv1.ReplicaSet {
		return appsv1.ReplicaSet{ObjectMeta: owned(uid, by), Spec: appsv1.ReplicaSetSpec{Template: reads(version), Replicas: &wanted},
			Status: appsv1.ReplicaSetStatus{Replicas: there}}
	}
	pod := func(by types.UID, version string) corev1.Pod {
		out := corev1.Pod{ObjectMeta: owned("pod", by)}
		out.Annotations = reads(version).Annotations
		return out
	}
	deployment := appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{UID: "d"}}
	ours := strconv.Itoa(gateapi.Schema)
	deployment.Spec.Template = reads(ours)
	for _, c := range []struct {
		name string
		sets []appsv1.ReplicaSet
		pods []corev1.Pod
		want []int
	}{
		{"ours alone", []appsv1.ReplicaSet{set("a", "d", ours, 2, 2)}, []corev1.Pod{pod("a", ours)}, nil},
		{"a ReplicaSet whose only pod was just evicted", []appsv1.ReplicaSet{set("a", "d", "3", 1, 0)}, nil, []int{3}},
		{"pods that end after their ReplicaSet was scaled down", []appsv1.ReplicaSet{set("a", "d", "3", 0, 0)}, []corev1.Pod{pod("a", "3")}, []int{3}},
		{"history", []appsv1.ReplicaSet{set("a", "d", "3", 0, 0)}, nil, nil},
		{"each once, in order", []appsv1.ReplicaSet{set("a", "d", "4", 1, 1), set("b", "d", "3", 1, 1)}, []corev1.Pod{pod("b", "3")}, []int{3, 4}},
		{"what others made", []appsv1.ReplicaSet{set("a", "other", "3", 1, 1)}, []corev1.Pod{pod("a", "3"), pod("x", "4")}, nil},
		{"nonsense counts as the first", []appsv1.ReplicaSet{set("a", "d", "-9", 1, 1), set("b", "d", "new", 1, 1)}, []corev1.Pod{pod("a", "")}, []int{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, gateconfig.SchemasBeside(deployment, c.sets, c.pods)); diff != "" {
				t.Error(diff)
			}
		})
	}
	deployment.Spec.Template = reads("1")
	if got := gateconfig.SchemasBeside(deployment, nil, nil); !cmp.Equal(got, []int{1}) {
		t.Errorf("the Deployment's own template: got %v", got)
	}
}

// A bound that gates of the first release do not know is left out for them: they had none, and lock nobody out for it.
func TestGatesOfTheFirstReleaseGetNoBoundOnRequests(t *testing.T) {
	in := inputs(t)
	in.Schemas = []int{1}
	config, err := gateconfig.ConfigMap(read(t, "testdata/policy/in.yaml"), in)
	if err != nil {
		t.Fatal(err)
	}
	old, present := config.Data["authproxy.v1.json"], config.Data[gateapi.ConfigFile]
	if !strings.Contains(present, `"requests": 200`) || old == "" || strings.Contains(old, `"requests"`) {
		t.Errorf("schema v1: %s\nschema v2: %s", old, present)
	}
}
