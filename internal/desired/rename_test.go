package desired_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
)

func TestRenamedObjectsGoByTheirLastName(t *testing.T) {
	s := &v1alpha1.MCPServer{}
	s.Name = "x"
	if got := desired.PublicKeysName(s); got != "x-jwks" {
		t.Fatalf("the first name is %s", got)
	}
	s.Status.Renamed = desired.Rename(s, "x-jwks", "one", noon)
	s.Status.Renamed = desired.Rename(s, "x-keys", "two", noon)
	s.Status.Renamed = desired.Rename(s, "x-jwks-one", "three", noon.Add(time.Hour))
	for got, want := range map[string]string{
		desired.PublicKeysName(s): "x-jwks-three", desired.KeysSecretName(s): "x-keys-two",
		desired.GateSecretName(s): "x-gate", desired.GateConfigName(s): "x-authproxy",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := desired.RenamedAt(s, "x-jwks-three"); !got.Equal(noon.Add(time.Hour)) {
		t.Errorf("got its name at %v", got)
	}
	if got := desired.RenamedAt(s, "x-gate"); !got.IsZero() {
		t.Errorf("its first name at %v", got)
	}
	if !desired.IsMounted(s, "x-jwks-three") || desired.IsMounted(s, "x-jwks") || desired.IsMounted(s, "x-keys-two") {
		t.Error("what pods mount goes by the new name, and private keys they do not mount")
	}
}

func TestRenamedListStaysWithinItsBounds(t *testing.T) {
	s := &v1alpha1.MCPServer{}
	s.Name = "x"
	for i := range 100 {
		s.Status.Renamed = desired.Rename(s, desired.PublicKeysName(s), fmt.Sprint(i), time.Now())
		s.Status.Renamed = desired.Rename(s, desired.GateSecretName(s), fmt.Sprint(i), time.Now())
		if got, want := desired.PublicKeysName(s), fmt.Sprintf("x-jwks-%d", i); got != want || desired.GateSecretName(s) != fmt.Sprintf("x-gate-%d", i) {
			t.Fatalf("got %s and %s, want %s", got, desired.GateSecretName(s), want)
		}
	}
	if n := len(s.Status.Renamed); n > 32 {
		t.Errorf("%d are more than the schema allows", n)
	}
}

// A status that somebody has spoilt leads to no object of another kind, and not round in circles.
func TestNamesThatAreNotOursAreIgnored(t *testing.T) {
	s := &v1alpha1.MCPServer{}
	s.Name = "x"
	s.Status.Renamed = []v1alpha1.RenamedObject{{Name: "x-jwks", NewName: "kube-root-ca.crt"}}
	if got := desired.PublicKeysName(s); got != "x-jwks" {
		t.Errorf("got %s", got)
	}
	s.Status.Renamed = []v1alpha1.RenamedObject{{Name: "x-jwks", NewName: "x-jwks-a"}, {Name: "x-jwks-a", NewName: "x-jwks"}}
	if got := desired.PublicKeysName(s); got != "x-jwks" && got != "x-jwks-a" {
		t.Errorf("got %s", got)
	}
}

func TestPodsOfFormerNamesAreKnown(t *testing.T) {
	s := &v1alpha1.MCPServer{}
	s.Name = "x"
	config := func(name string) corev1.VolumeSource {
		return corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}
	}
	pod := corev1.PodSpec{Volumes: []corev1.Volume{
		{Name: "gatehouse-config", VolumeSource: config("x-authproxy")},
		{Name: "gatehouse-secret", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "x-gate"}}},
		{Name: "gatehouse-keys", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{
			ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "x-jwks"}},
		}}}}},
		{Name: "mine", VolumeSource: config("x-jwks-one")},
	}}
	if !podlock.MountsAll(s, pod) {
		t.Error("a pod that mounts all is taken for one of former names")
	}
	for name, former := range map[string]string{"x-jwks": "x-jwks-one", "x-authproxy": "x-authproxy-one", "x-gate": "x-gate-one"} {
		s.Status.Renamed = []v1alpha1.RenamedObject{{Name: name, NewName: former}}
		if podlock.MountsAll(s, pod) {
			t.Errorf("a pod that mounts %s is taken for one of %s", name, former)
		}
	}
}

// What is in a Secret that was replaced may be secret still.
func TestFormerSecretsStayOutOfReach(t *testing.T) {
	s := &v1alpha1.MCPServer{}
	s.Name = "x"
	s.Status.Renamed = desired.Rename(s, "x-gate", "one", time.Now())
	s.Status.Renamed = desired.Rename(s, "x-gate-one", "two", time.Now())
	for _, name := range []string{"x-gate", "x-gate-one", "x-gate-two", "x-keys"} {
		pod := corev1.PodSpec{Volumes: []corev1.Volume{{Name: "mine", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name}}}}}
		found := false
		for _, violation := range podlock.Violations(pod, podlock.Of(s, pod)) {
			found = found || violation.Rule == "KeysOnlyInGate"
		}
		if !found {
			t.Errorf("Secret %s may be mounted beside the gate", name)
		}
	}
}
