package desired_test

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

func TestFormerGateImages(t *testing.T) {
	for name, c := range map[string]struct {
		before v1alpha1.MCPServerStatus
		image  string
		want   []string
	}{
		"the first":        {v1alpha1.MCPServerStatus{}, "v1", nil},
		"the same":         {v1alpha1.MCPServerStatus{GateImage: "v1"}, "v1", nil},
		"another":          {v1alpha1.MCPServerStatus{GateImage: "v1"}, "v2", []string{"v1"}},
		"the same again":   {v1alpha1.MCPServerStatus{GateImage: "v2", FormerGateImages: []string{"v1"}}, "v2", []string{"v1"}},
		"back":             {v1alpha1.MCPServerStatus{GateImage: "v2", FormerGateImages: []string{"v1"}}, "v1", []string{"v2"}},
		"more than it has": {v1alpha1.MCPServerStatus{GateImage: "v5", FormerGateImages: []string{"v4", "v3", "v2", "v1"}}, "v6", []string{"v5", "v4", "v3", "v2"}},
	} {
		server := &v1alpha1.MCPServer{Status: c.before}
		if got := desired.FormerGateImages(server, c.image); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// Whose an object is: a controller that it has decides, and labels only where it has none.
func TestOwns(t *testing.T) {
	server := &v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Name: "x", UID: "1"}}
	labels := map[string]string{v1alpha1.LabelServer: "x", v1alpha1.LabelInstance: "1"}
	reference := func(uid string) []metav1.OwnerReference {
		return []metav1.OwnerReference{{Kind: "MCPServer", Name: "x", UID: "1", Controller: ptr.To(uid == "1")}, {Kind: "Other", UID: "2", Controller: ptr.To(uid == "2")}}
	}
	for name, c := range map[string]struct {
		object metav1.ObjectMeta
		owns   bool
	}{
		"its own":                  {metav1.ObjectMeta{OwnerReferences: reference("1")}, true},
		"its own, without labels":  {metav1.ObjectMeta{OwnerReferences: reference("1"), Labels: nil}, true},
		"one that lost its owner":  {metav1.ObjectMeta{Labels: labels}, true},
		"somebody else's":          {metav1.ObjectMeta{OwnerReferences: reference("2"), Labels: labels}, false},
		"nobody's":                 {metav1.ObjectMeta{}, false},
		"one of a server before":   {metav1.ObjectMeta{Labels: map[string]string{v1alpha1.LabelServer: "x", v1alpha1.LabelInstance: "0"}}, false},
		"one of an older operator": {metav1.ObjectMeta{Labels: map[string]string{v1alpha1.LabelServer: "x"}}, false},
	} {
		if got := desired.Owns(server, &c.object); got != c.owns {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
