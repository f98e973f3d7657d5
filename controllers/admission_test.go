package controllers_test

import (
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// manifests gives the files that match, one entry of a table each.
func manifests(pattern string) []TableEntry {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		panic("no manifests match " + pattern)
	}
	var entries []TableEntry
	for _, file := range files {
		entries = append(entries, Entry(filepath.Base(file), file))
	}
	return entries
}

// readSample gives the manifest, and what its first line says behind "# want: ".
func readSample(file string) (*unstructured.Unstructured, string) {
	GinkgoHelper()
	data, err := os.ReadFile(file)
	Expect(err).NotTo(HaveOccurred())
	object := &unstructured.Unstructured{}
	Expect(yaml.Unmarshal(data, &object.Object)).To(Succeed())
	object.SetNamespace("default")
	first, _, _ := strings.Cut(string(data), "\n")
	return object, strings.TrimPrefix(first, "# want: ")
}

var _ = Describe("Admission", func() {
	DescribeTable("refuses, and says why", func(ctx SpecContext, file string) {
		object, want := readSample(file)
		Expect(want).NotTo(BeEmpty())
		err := k8s.Create(ctx, object, client.DryRunAll)
		Expect(err).To(MatchError(ContainSubstring(want)))
	}, manifests("../test/invalid/*.yaml"))

	DescribeTable("accepts the samples", func(ctx SpecContext, file string) {
		object, _ := readSample(file)
		Expect(k8s.Create(ctx, object, client.DryRunAll)).To(Succeed())
	}, append(manifests("../config/samples/mcpserver*.yaml"), manifests("../config/samples/providers/*.yaml")...))
})
