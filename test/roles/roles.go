// Package roles takes apart what config grants to whom, for the tests that hold it against what is used and what is
// documented.
package roles

import (
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// Right is one verb on one resource, in the form that a role has them: "pods/status" is a subresource, a leading slash
// is a path of the API server.
type Right struct {
	Group, Resource, Verb string
}

// String is for messages and for sorting.
func (r Right) String() string {
	return strings.TrimPrefix(r.Group+" ", " ") + r.Resource + " " + r.Verb
}

// Set has rights.
type Set map[Right]bool

// Without gives what is in the set and not in the other one, in order.
func (s Set) Without(other Set) []Right {
	var out []Right
	for right := range s {
		if !other[right] {
			out = append(out, right)
		}
	}
	slices.SortFunc(out, func(a, b Right) int { return strings.Compare(a.String(), b.String()) })
	return out
}

// Of gives each right of some rules.
func Of(rules []rbacv1.PolicyRule) Set {
	out := Set{}
	for _, rule := range rules {
		for _, verb := range rule.Verbs {
			for _, path := range rule.NonResourceURLs {
				out[Right{"", path, verb}] = true
			}
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					out[Right{group, resource, verb}] = true
				}
			}
		}
	}
	return out
}

// Build gives the objects of a folder with a kustomization.
func Build(folder string) ([]*unstructured.Unstructured, error) {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", folder, err)
	}
	var out []*unstructured.Unstructured
	for _, resource := range built.Resources() {
		fields, err := resource.Map()
		if err != nil {
			return nil, fmt.Errorf("build %s: %w", folder, err)
		}
		out = append(out, &unstructured.Unstructured{Object: fields})
	}
	return out, nil
}
