package manifests

import (
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/util/yaml"
)

// maxCRD leaves room for metadata: kubectl's client-side apply keeps a copy of the object, as JSON, in an annotation,
// and all annotations of an object together end at 256 KiB.
const maxCRD = 200 << 10

func TestCRDFitsClientSideApply(t *testing.T) {
	files, err := filepath.Glob("../../config/crd/bases/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no CRD in config/crd/bases: run make generate")
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		asJSON, err := yaml.ToJSON(content)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		t.Logf("%s: %d bytes as JSON", file, len(asJSON))
		if len(asJSON) > maxCRD {
			t.Errorf("%s: %d bytes as JSON, more than %d: shorten the comments of embedded types (controller-gen's maxDescLen)",
				file, len(asJSON), maxCRD)
		}
	}
}
