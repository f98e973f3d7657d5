// Package upgrade knows versions that people have. Each is a folder, written by `hack/released.sh freeze` and not changed
// any more: release names its commit and the schema of its gates' configuration, install.yaml is what its users applied,
// samples are what they were shown, and objects are MCPServers with the Deployments that its operator made of them.
package upgrade

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Release is a version that people have.
type Release struct {
	Version string
	// Schema is that of its gates' configuration.
	Schema int
	// Install is the file that users applied, with the images gatehouse.local/operator and gatehouse.local/authproxy, tagged
	// with the version.
	Install string
	folder  string
}

// Releases are all of them, the oldest first. root is the module's root.
func Releases(root string) ([]Release, error) {
	files, err := filepath.Glob(filepath.Join(root, "test", "upgrade", "v*", "release"))
	if err == nil && len(files) == 0 {
		err = errors.New("there is none")
	}
	if err != nil {
		return nil, fmt.Errorf("releases in test/upgrade of %s: %w", root, err)
	}
	var out []Release
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		folder := filepath.Dir(file)
		release := Release{Version: filepath.Base(folder), Install: filepath.Join(folder, "install.yaml"), folder: folder}
		_, schema, _ := strings.Cut(string(text), "\nSCHEMA=")
		if release.Schema, err = strconv.Atoi(strings.TrimSpace(schema)); err != nil {
			return nil, fmt.Errorf("%s: SCHEMA: %w", file, err)
		}
		out = append(out, release)
	}
	return out, nil
}

// Samples are the MCPServers that its users were shown, by the names of their files.
func (r Release) Samples() (map[string]*unstructured.Unstructured, error) {
	return r.read("samples", ".yaml")
}

// Servers are MCPServers that it looked after, by names that they have in Deployments, too.
func (r Release) Servers() (map[string]*unstructured.Unstructured, error) {
	return r.read("objects", ".in.yaml")
}

// Deployments are what it applied for these: the fields of which it was the manager.
func (r Release) Deployments() (map[string]*unstructured.Unstructured, error) {
	return r.read("objects", ".out.yaml")
}

func (r Release) read(folder, suffix string) (map[string]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(r.folder, folder, "*"+suffix))
	if err == nil && len(files) == 0 {
		err = errors.New("there is none")
	}
	if err != nil {
		return nil, fmt.Errorf("files *%s in %s/%s: %w", suffix, r.folder, folder, err)
	}
	out := map[string]*unstructured.Unstructured{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		object, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out[strings.TrimSuffix(filepath.Base(file), suffix)] = object
	}
	return out, nil
}

// parse reads one object, with numbers as an API server's client wants them.
func parse(text []byte) (*unstructured.Unstructured, error) {
	data, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{}
	return object, object.UnmarshalJSON(data)
}
