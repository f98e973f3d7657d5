package desired_test

import (
	"encoding/json"
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
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// A second schema that brings two fields that tune, and two that close.
var spare = map[int][]string{2: {"limits.idleSeconds", "providers[].comment"}}

func TestTranslate(t *testing.T) {
	for _, c := range []struct {
		name, config string
		want, err    string
	}{
		{"nothing new is used", `{"port":8080,"limits":{"bodyBytes":4194304}}`, `{"port":8080,"limits":{"bodyBytes":4194304}}`, ""},
		{"what tunes is left out", `{"limits":{"bodyBytes":1,"idleSeconds":5},"providers":[{"name":"a","comment":"x"},{"name":"b"}]}`,
			`{"limits":{"bodyBytes":1},"providers":[{"name":"a"},{"name":"b"}]}`, ""},
		{"what closes is not", `{"port":1,"closed":true,"limits":{"idleSeconds":5}}`, "", "do not know closed"},
		{"nor a new value of a field", `{"sessionBinding":"Tenant","providers":[{"closed":1}]}`, "",
			"do not know providers[].closed, sessionBinding: Tenant"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := desired.Translate([]byte(c.config), 2, 1, spare)
			if errText(err) != c.err || !sameJSON(t, got, c.want) {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
	if _, err := desired.Translate([]byte(`{}`), 1, 2, spare); err == nil {
		t.Error("an older operator can write for newer gates")
	}
}

// Gates of a newer operator keep their file beside that of ours: an operator that was rolled back must not take it away.
func TestFilesOfOtherSchemasStayWhileGatesReadThem(t *testing.T) {
	in := inputs(t)
	in.ConfigFiles = map[string]string{"authproxy.v7.json": "of seven", "authproxy.v8.json": "of eight", authproxy.ConfigFile: "old"}
	in.Schemas = []int{7, 9}
	server := read(t, "testdata/generic/in.yaml")
	config, err := desired.GateConfig(server, in)
	if err != nil {
		t.Fatal(err)
	}
	if len(config.Data) != 2 || config.Data["authproxy.v7.json"] != "of seven" || !strings.Contains(config.Data[authproxy.ConfigFile], "everything") {
		t.Errorf("got %v", config.Data)
	}
	untold, err := desired.Untold(server, in)
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
	ours := strconv.Itoa(authproxy.Schema)
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
			if diff := cmp.Diff(c.want, desired.SchemasBeside(deployment, c.sets, c.pods)); diff != "" {
				t.Error(diff)
			}
		})
	}
	deployment.Spec.Template = reads("1")
	if got := desired.SchemasBeside(deployment, nil, nil); !cmp.Equal(got, []int{1}) {
		t.Errorf("the Deployment's own template: got %v", got)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// sameJSON compares two texts, where an empty one is no JSON.
func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	if a == "" || b == "" {
		return a == b
	}
	return cmp.Equal(decoded(t, a), decoded(t, b))
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// A bound that gates of the first release do not know is left out for them: they had none, and lock nobody out for it.
func TestGatesOfTheFirstReleaseGetNoBoundOnRequests(t *testing.T) {
	in := inputs(t)
	in.Schemas = []int{1}
	config, err := desired.GateConfig(read(t, "testdata/policy/in.yaml"), in)
	if err != nil {
		t.Fatal(err)
	}
	old, present := config.Data["authproxy.v1.json"], config.Data[authproxy.ConfigFile]
	if !strings.Contains(present, `"requests": 200`) || old == "" || strings.Contains(old, `"requests"`) {
		t.Errorf("schema v1: %s\nschema v2: %s", old, present)
	}
}
