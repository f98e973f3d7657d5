// Package chart renders the Helm chart of config/chart by Helm's own code, as `helm install` does.
package chart

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// Release and namespace are those of the documented command.
const (
	Release   = "gatehouse"
	Namespace = "gatehouse-system"
)

// Rendered is what an install would make.
type Rendered struct {
	// CRDs are those of folder crds, which Helm installs and never removes.
	CRDs []*unstructured.Unstructured
	// Objects go with the release.
	Objects []*unstructured.Unstructured
	// Notes are what Helm says in the end.
	Notes string
}

// Render renders the chart in a folder with values besides its own. Values that the chart's schema refuses are an error.
func Render(folder string, values map[string]any) (Rendered, error) {
	loaded, err := loader.LoadDir(folder)
	if err != nil {
		return Rendered{}, fmt.Errorf("load chart: %w", err)
	}
	release := common.ReleaseOptions{Name: Release, Namespace: Namespace, Revision: 1, IsInstall: true}
	merged, err := util.ToRenderValues(loaded, values, release, common.DefaultCapabilities)
	if err != nil {
		return Rendered{}, fmt.Errorf("values: %w", err)
	}
	files, err := engine.Render(loaded, merged)
	if err != nil {
		return Rendered{}, fmt.Errorf("render: %w", err)
	}
	out := Rendered{}
	for _, crd := range loaded.CRDObjects() {
		objects, err := decode(string(crd.File.Data))
		if err != nil {
			return Rendered{}, fmt.Errorf("%s: %w", crd.Filename, err)
		}
		out.CRDs = append(out.CRDs, objects...)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		switch {
		case path.Base(name) == "NOTES.txt":
			out.Notes = files[name]
			continue
		case strings.HasPrefix(path.Base(name), "_"):
			continue
		}
		objects, err := decode(files[name])
		if err != nil {
			return Rendered{}, fmt.Errorf("%s: %w", name, err)
		}
		out.Objects = append(out.Objects, objects...)
	}
	return out, nil
}

// decode reads the objects of a file; documents without content are none.
func decode(text string) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		object := &unstructured.Unstructured{}
		switch err := decoder.Decode(&object.Object); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, err
		case len(object.Object) > 0:
			out = append(out, object)
		}
	}
}
