package desired

import (
	"slices"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// GateImages are those that gates of a server may have; none where that is not known.
func GateImages(s *v1alpha1.MCPServer) []string {
	if s.Status.GateImage == "" || s.Status.Template == "" {
		return nil
	}
	return append([]string{s.Status.GateImage}, s.Status.FormerGateImages...)
}

// maxFormerImages is what the schema allows.
const maxFormerImages = 4

// FormerGateImages are those of earlier templates, when the present one has this image.
func FormerGateImages(s *v1alpha1.MCPServer, image string) []string {
	var former []string
	for _, earlier := range append([]string{s.Status.GateImage}, s.Status.FormerGateImages...) {
		if earlier != "" && earlier != image && !slices.Contains(former, earlier) {
			former = append(former, earlier)
		}
	}
	return former[:min(len(former), maxFormerImages)]
}
