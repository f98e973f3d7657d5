package serverstatus

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

func TestImagesThatFloat(t *testing.T) {
	const digest = "@sha256:0123456789abcdef"
	for image, want := range map[string]bool{
		"quiltdata/mcp": true, "quiltdata/mcp:latest": true, "registry.example:5000/mcp": true, "mcp": true,
		"quiltdata/mcp:0.21.0": false, "quiltdata/mcp:latest" + digest: false, "quiltdata/mcp" + digest: false, "registry.example:5000/mcp:1": false,
	} {
		server := &v1alpha1.MCPServer{Spec: v1alpha1.MCPServerSpec{Image: image}}
		if got := judgeAccepted(server, nil).Message; strings.Contains(got, "says nothing about which") != want {
			t.Errorf("%s: %q", image, got)
		}
	}
}

func TestImageStatuses(t *testing.T) {
	pod := func(ids ...string) corev1.Pod {
		var pod corev1.Pod
		for i, id := range ids {
			name := desired.ServerContainer
			if i > 0 {
				name = "beside"
			}
			pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{Name: name, ImageID: id})
		}
		return pod
	}
	got := imageStatuses([]corev1.Pod{pod("b", "x"), pod("a"), pod("b"), pod("")})
	if len(got) != 2 || *got[0].ImageID != "a" || *got[0].Pods != 1 || *got[1].ImageID != "b" || *got[1].Pods != 2 {
		t.Errorf("got %+v", got)
	}
}
