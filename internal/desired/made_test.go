package desired_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
)

// fromSecret is a variable from a Secret's data key.
func fromSecret(name, secret, key string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Key: key}}}
}

// TestPodsOfAnEarlierSpec: what was right when a pod was made is right while it is replaced, and what was not is found.
func TestPodsOfAnEarlierSpec(t *testing.T) {
	const quilt, generic, providers = "testdata/quilt-up-to-014/in.yaml", "testdata/generic/in.yaml", "testdata/providers/in.yaml"
	give := func(name, secret string) func(*corev1.PodSpec) {
		return func(pod *corev1.PodSpec) {
			pod.Containers[0].Env = append(pod.Containers[0].Env, fromSecret(name, secret, "k"))
		}
	}
	none := func(*corev1.PodSpec) {}
	without := func(name string) func(*corev1.PodSpec) {
		return func(pod *corev1.PodSpec) {
			pod.Containers[0].Env = slices.DeleteFunc(pod.Containers[0].Env, func(e corev1.EnvVar) bool { return e.Name == name })
		}
	}
	toGeneric := func(s *v1alpha1.MCPServer) { s.Spec.Profile, s.Spec.Quilt = v1alpha1.ProfileGeneric, nil }
	secretProvider := func(s *v1alpha1.MCPServer) {
		s.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{{Name: "own", Keys: v1alpha1.ProviderKeys{
			Type: v1alpha1.KeysSecret, Secret: &v1alpha1.SecretKeys{Name: "moved", Keys: []string{"k"}, Format: v1alpha1.FormatSharedSecret}}}}}
	}
	for name, c := range map[string]struct {
		path string
		// made is what the template had besides, and later what was done to the pod alone.
		made, later func(*corev1.PodSpec)
		spec        func(*v1alpha1.MCPServer)
		locked      bool
	}{
		"the lent secret has another first key": {quilt, none, none, func(s *v1alpha1.MCPServer) {
			s.Spec.Auth.Providers[0].Keys.Secret.Keys = []string{"next", "MCP_JWT_SECRET"}
		}, true},
		"nothing is lent any more": {quilt, none, none, func(s *v1alpha1.MCPServer) { s.Spec.Quilt = nil }, true},
		"the profile is another":   {quilt, none, none, toGeneric, true},
		"another variable with the lent secret, and the profile is another": {quilt, none, give("X", "quilt-mcp-jwt"), toGeneric, false},
		"such a pod lacks what the profile forces":                          {quilt, without("QUILT_FALLBACK_JWT"), none, toGeneric, false},
		"another variable with the lent secret": {quilt, none, give("X", "quilt-mcp-jwt"), func(s *v1alpha1.MCPServer) { s.Spec.Quilt = nil },
			false},
		"the server's secret becomes the gate's":          {generic, give("X", "moved"), none, secretProvider, true},
		"the gate's new secret is put into an old pod":    {generic, none, give("X", "moved"), secretProvider, false},
		"a template with the keys of its gate's provider": {providers, give("X", "catalog-jwt"), none, func(*v1alpha1.MCPServer) {}, false},
		"a template that lends what is nobody's":          {quilt, give("MCP_JWT_SECRET", "quilt-keys"), none, func(*v1alpha1.MCPServer) {}, false},
		"such a template after the provider has gone":     {providers, give("X", "catalog-jwt"), none, func(s *v1alpha1.MCPServer) { s.Spec.Auth = nil }, false},
		"a template that lends as only Quilt is lent to":  {providers, give("MCP_JWT_SECRET", "catalog-jwt"), none, func(*v1alpha1.MCPServer) {}, false},
		"a template with the server's signing keys in it": {generic, give("X", "everything-keys"), none, func(*v1alpha1.MCPServer) {}, false},
	} {
		made := readPodSpec(t, c.path)
		c.made(&made)
		pod, server := *made.DeepCopy(), read(t, c.path)
		c.later(&pod)
		c.spec(server)
		if found := podlock.Violations(pod, podlock.OfMade(server, made)); (len(found) == 0) != c.locked {
			t.Errorf("%s: found %v", name, found)
		}
	}
}
