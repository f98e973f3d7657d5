package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"sigs.k8s.io/yaml"
)

// chartPath is where the chart is in the registry; Helm wants the last part to be the chart's name.
const chartPath = "charts/gatehouse"

// chartVersion is that of the release as Helm writes it, without a v.
func (r release) chartVersion() string { return strings.TrimPrefix(r.version, "v") }

// writeChart writes the chart of config/chart as a package, and as the OCI layout images/chart that Helm pulls it from. Helm
// itself would pack the files with the times of this machine.
func (r release) writeChart(digests map[string]v1.Hash) (v1.Hash, error) {
	entries, err := r.chartFiles(digests)
	if err != nil {
		return v1.Hash{}, err
	}
	packed, err := tarGz(entries, r.created)
	if err != nil {
		return v1.Hash{}, err
	}
	name := "gatehouse-" + r.chartVersion() + ".tgz"
	if err := r.write(name, packed); err != nil {
		return v1.Hash{}, err
	}
	image, err := r.chartArtifact(entries, packed)
	if err != nil {
		return v1.Hash{}, err
	}
	folder, err := layout.Write(r.file("images/chart"), empty.Index)
	if err != nil {
		return v1.Hash{}, err
	}
	if err := folder.AppendImage(image, layout.WithAnnotations(map[string]string{refName: r.chartVersion()})); err != nil {
		return v1.Hash{}, err
	}
	return image.Digest()
}

// chartFiles are the files of config/chart, with what only a release knows: its version, its registry, its digests.
func (r release) chartFiles(digests map[string]v1.Hash) ([]entry, error) {
	root := filepath.Join(r.source, "config/chart")
	var out []entry
	err := filepath.WalkDir(root, func(file string, found fs.DirEntry, err error) error {
		if err != nil || found.IsDir() {
			return err
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		stamped, err := r.stamp(filepath.ToSlash(name), string(content), digests)
		out = append(out, entry{path.Join("gatehouse", filepath.ToSlash(name)), 0o644, []byte(stamped)})
		return err
	})
	return out, err
}

// stamp puts what a release knows into a file of the chart, in place of what stands there in the repository.
func (r release) stamp(name, content string, digests map[string]v1.Hash) (string, error) {
	type replacement struct{ old, new string }
	var replacements []replacement
	switch name {
	case "Chart.yaml":
		replacements = []replacement{
			{"\nversion: 0.0.0\n", "\nversion: " + r.chartVersion() + "\n"},
			{"\nappVersion: v0.0.0\n", "\nappVersion: " + r.version + "\n"},
		}
	case "values.yaml":
		replacements = []replacement{{"\nregistry: gatehouse.local\n", "\nregistry: " + r.registry + "\n"}}
	case "files/digests.yaml":
		for _, image := range images {
			replacements = append(replacements, replacement{"\n" + image.name + ": \"\"\n", "\n" + image.name + ": " + digests[image.name].String() + "\n"})
		}
	}
	for _, replaced := range replacements {
		if strings.Count(content, replaced.old) != 1 {
			return "", fmt.Errorf("%s of the chart does not have the line %q once", name, strings.TrimSpace(replaced.old))
		}
		content = strings.Replace(content, replaced.old, replaced.new, 1)
	}
	return content, nil
}

// chartArtifact makes what `helm push` would: the package under a manifest whose configuration is Chart.yaml.
func (r release) chartArtifact(entries []entry, packed []byte) (v1.Image, error) {
	var metadata map[string]any
	for _, e := range entries {
		if e.name == "gatehouse/Chart.yaml" {
			if err := yaml.Unmarshal(e.content, &metadata); err != nil {
				return nil, err
			}
		}
	}
	config, err := json.Marshal(metadata)
	if err != nil {
		return nil, err
	}
	return newArtifact(v1.Manifest{Annotations: map[string]string{
		"org.opencontainers.image.title":       "gatehouse",
		"org.opencontainers.image.description": fmt.Sprint(metadata["description"]),
		"org.opencontainers.image.version":     r.chartVersion(),
		"org.opencontainers.image.revision":    r.revision,
		"org.opencontainers.image.created":     r.created.Format(time.RFC3339),
		"org.opencontainers.image.licenses":    license,
		"org.opencontainers.image.source":      repository,
		"org.opencontainers.image.url":         repository,
	}}, "application/vnd.cncf.helm.config.v1+json", config, "application/vnd.cncf.helm.chart.content.v1.tar+gzip", packed, "")
}
