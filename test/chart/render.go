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

	"helm.sh/helm/v4/pkg/chart"
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
	// Objects are those of the release.
	Objects []*unstructured.Unstructured
	// Notes are what Helm says in the end.
	Notes string
}

// Render renders the chart in a folder with values besides its own. Values that the chart's schema refuses are an error.
func Render(folder string, values map[string]any) (Rendered, error) {
	return render(folder, values, common.DefaultCapabilities, engine.Render)
}

// RenderIn renders it as Helm does where there is a cluster to ask, which tells the kinds that it has.
func RenderIn(cluster engine.ClientProvider, folder string, values map[string]any) (Rendered, error) {
	capabilities := common.DefaultCapabilities.Copy()
	capabilities.APIVersions = append(slices.Clone(capabilities.APIVersions), "v1/Namespace")
	return render(folder, values, capabilities, func(loaded chart.Charter, values common.Values) (map[string]string, error) {
		return engine.RenderWithClientProvider(loaded, values, cluster)
	})
}

func render(
	folder string, values map[string]any, capabilities *common.Capabilities,
	templates func(chart.Charter, common.Values) (map[string]string, error),
) (Rendered, error) {
	loaded, err := loader.LoadDir(folder)
	if err != nil {
		return Rendered{}, fmt.Errorf("load chart: %w", err)
	}
	release := common.ReleaseOptions{Name: Release, Namespace: Namespace, Revision: 1, IsInstall: true}
	merged, err := util.ToRenderValues(loaded, values, release, capabilities)
	if err != nil {
		return Rendered{}, fmt.Errorf("values: %w", err)
	}
	files, err := templates(loaded, merged)
	if err != nil {
		return Rendered{}, fmt.Errorf("render: %w", err)
	}
	out := Rendered{}
	if crds := loaded.CRDObjects(); len(crds) > 0 {
		return Rendered{}, fmt.Errorf("%s is in the folder that Helm does not upgrade", crds[0].Filename)
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
