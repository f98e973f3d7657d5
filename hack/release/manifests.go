package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"sigs.k8s.io/yaml"
)

// manifests are the files to apply, and the folders of config that they are made from.
var manifests = []struct{ file, folder string }{
	{"install.yaml", "config/default"},
	{"operator.yaml", "config/operator"}, // what may be deleted while MCPServers exist
	{"crds.yaml", "config/crd"},
}

// writeManifests writes them, with the images by their digests.
func (r release) writeManifests(ctx context.Context, digests map[string]v1.Hash) error {
	for _, manifest := range manifests {
		content, err := r.kustomized(ctx, manifest.folder, digests)
		if err != nil {
			return fmt.Errorf("%s: %w", manifest.file, err)
		}
		head := fmt.Sprintf("# Gatehouse %s, commit %s. %s\n", r.version, r.revision, repository)
		if err := r.write(manifest.file, append([]byte(head), content...)); err != nil {
			return err
		}
	}
	return nil
}

// kustomized builds a folder of config under a kustomization that names the images. The gate's image is a value in the
// operator's environment, so kustomize is told that images are to be found there, too.
func (r release) kustomized(ctx context.Context, folder string, digests map[string]v1.Hash) (out []byte, err error) {
	work, err := os.MkdirTemp(filepath.Dir(r.out), ".kustomize-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	resource, err := filepath.Rel(work, filepath.Join(r.source, folder))
	if err != nil {
		return nil, err
	}
	var replaced []map[string]string
	for _, image := range images {
		replaced = append(replaced, map[string]string{
			"name": "gatehouse.local/" + image.name, "newName": r.registry + "/" + image.name, "digest": digests[image.name].String(),
		})
	}
	kustomization, err := yaml.Marshal(map[string]any{
		"resources": []string{resource}, "images": replaced, "configurations": []string{"images.yaml"},
	})
	if err != nil {
		return nil, err
	}
	const paths = "images:\n- {kind: Deployment, path: 'spec/template/spec/containers[]/env[]/value'}\n"
	err = errors.Join(os.WriteFile(filepath.Join(work, "images.yaml"), []byte(paths), 0o600),
		os.WriteFile(filepath.Join(work, "kustomization.yaml"), kustomization, 0o600))
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, r.kustomize, "build", work)
	command.Stderr = os.Stderr
	return command.Output()
}
