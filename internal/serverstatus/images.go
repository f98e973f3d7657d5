package serverstatus

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	mcpac "github.com/mcp-gatehouse/gatehouse/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// maxImages is what the schema allows.
const maxImages = 16

// imageStatuses counts the images that the server's containers run.
func imageStatuses(pods []corev1.Pod) []*mcpac.ImageStatusApplyConfiguration {
	counts := map[string]int32{}
	for _, pod := range pods {
		for _, container := range pod.Status.ContainerStatuses {
			if container.Name == desired.ServerContainer && container.ImageID != "" {
				counts[container.ImageID]++
			}
		}
	}
	var out []*mcpac.ImageStatusApplyConfiguration
	for _, id := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, mcpac.ImageStatus().WithImageID(id).WithPods(counts[id]))
	}
	return out[:min(len(out), maxImages)]
}

// floats reports whether an image's name is a promise of nothing: without a tag and a digest, or with the tag latest.
func floats(image string) bool {
	if strings.Contains(image, "@") {
		return false
	}
	_, tag, tagged := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	return !tagged || tag == "latest"
}
