package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Media types of the OCI image specification, v1.1.
const (
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar+gzip"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
)

// image is what is written besides the files.
type image struct {
	name   string
	arch   string
	config runConfig
}

// runConfig is the config object of an OCI image configuration: how a container of it is run.
type runConfig struct {
	User       string   `json:",omitempty"`
	Env        []string `json:",omitempty"`
	Entrypoint []string `json:",omitempty"`
	Cmd        []string `json:",omitempty"`
	WorkingDir string   `json:",omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

type configuration struct {
	Created string `json:"created"`
	platform
	Config runConfig `json:"config"`
	RootFS rootFS    `json:"rootfs"`
}

type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        descriptor   `json:"config"`
	Layers        []descriptor `json:"layers"`
}

type index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
}

// write puts the archive at out, whole or not at all. The layer waits in a file beside it, because a tar stream names
// each size before the content.
func (img image) write(out string, files []mapping) (err error) {
	folder := filepath.Dir(out)
	blob, err := os.CreateTemp(folder, ".layer-*")
	if err != nil {
		return err
	}
	defer os.Remove(blob.Name())
	defer blob.Close()
	l, err := writeLayer(blob, files)
	if err != nil {
		return fmt.Errorf("pack %s: %w", img.name, err)
	}
	if _, err := blob.Seek(0, io.SeekStart); err != nil {
		return err
	}

	archive, err := os.CreateTemp(folder, ".archive-*")
	if err != nil {
		return err
	}
	defer os.Remove(archive.Name())
	defer archive.Close()
	if err := img.pack(archive, l, blob); err != nil {
		return fmt.Errorf("write %s: %w", out, err)
	}
	if err := archive.Chmod(0o644); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return os.Rename(archive.Name(), out)
}

func (img image) pack(w io.Writer, l layer, blob io.Reader) error {
	target := platform{Architecture: img.arch, OS: "linux"}
	config, configDescriptor, err := encode(configType, configuration{
		Created: "1970-01-01T00:00:00Z", platform: target, Config: img.config,
		RootFS: rootFS{Type: "layers", DiffIDs: []string{l.diffID}},
	})
	if err != nil {
		return err
	}
	layerDescriptor := descriptor{MediaType: layerType, Digest: l.digest, Size: l.size}
	man, manifestDescriptor, err := encode(manifestType, manifest{2, manifestType, configDescriptor, []descriptor{layerDescriptor}})
	if err != nil {
		return err
	}
	manifestDescriptor.Platform = &target
	_, tag, _ := strings.Cut(img.name[strings.LastIndex(img.name, "/")+1:], ":")
	manifestDescriptor.Annotations = map[string]string{
		"io.containerd.image.name":          img.name, // the whole name, for containerd
		"org.opencontainers.image.ref.name": tag,      // the tag alone, as the image layout specification has it
	}
	idx, _, err := encode(indexType, index{2, indexType, []descriptor{manifestDescriptor}})
	if err != nil {
		return err
	}

	t := tar.NewWriter(w)
	for _, f := range []struct{ name, content string }{
		{"oci-layout", `{"imageLayoutVersion":"1.0.0"}`},
		{"index.json", string(idx)},
		{blobPath(configDescriptor), string(config)},
		{blobPath(manifestDescriptor), string(man)},
	} {
		if err := put(t, f.name, int64(len(f.content)), strings.NewReader(f.content)); err != nil {
			return err
		}
	}
	if err := put(t, blobPath(layerDescriptor), l.size, blob); err != nil {
		return err
	}
	return t.Close()
}

func encode(mediaType string, v any) ([]byte, descriptor, error) {
	b, err := json.Marshal(v)
	sum := sha256.Sum256(b)
	return b, descriptor{MediaType: mediaType, Digest: "sha256:" + hex.EncodeToString(sum[:]), Size: int64(len(b))}, err
}

func blobPath(d descriptor) string { return "blobs/" + strings.Replace(d.Digest, ":", "/", 1) }

func put(t *tar.Writer, name string, size int64, content io.Reader) error {
	if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644}); err != nil {
		return err
	}
	_, err := io.Copy(t, content)
	return err
}
