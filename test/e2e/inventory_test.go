//go:build e2e

package e2e_test

import (
	"context"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
)

// inventory names every object of the cluster, of whatever kind, but for Events, which go by themselves, and what is no object.
func inventory(ctx context.Context) []string {
	GinkgoHelper()
	kinds, err := typed.Discovery().ServerPreferredResources()
	Expect(err).NotTo(HaveOccurred())
	objects, err := metadata.NewForConfig(cluster)
	Expect(err).NotTo(HaveOccurred())
	var out []string
	for _, group := range kinds {
		version, err := schema.ParseGroupVersion(group.GroupVersion)
		Expect(err).NotTo(HaveOccurred())
		for _, kind := range group.APIResources {
			if kind.Name == "events" || kind.Name == "componentstatuses" || !slices.Contains(kind.Verbs, "list") {
				continue
			}
			list, err := objects.Resource(version.WithResource(kind.Name)).List(ctx, metav1.ListOptions{})
			Expect(err).NotTo(HaveOccurred(), "list %s", kind.Name)
			for _, object := range list.Items {
				out = append(out, kind.Name+" "+object.Namespace+"/"+object.Name)
			}
		}
	}
	return out
}

// without gives what is in all and not in known.
func without(all, known []string) []string {
	return slices.DeleteFunc(all, func(name string) bool { return slices.Contains(known, name) })
}
