package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// emptyType is the media type of a configuration without content, of the OCI image specification 1.1.
const emptyType types.MediaType = "application/vnd.oci.empty.v1+json"

// artifact is an OCI manifest with one blob that is not an image: a chart, or an SBOM.
type artifact struct {
	config   []byte
	manifest []byte
	blob     v1.Layer
}

// newArtifact makes one from a manifest without descriptors and from what they are to describe.
func newArtifact(manifest v1.Manifest, configType types.MediaType, config []byte, blobType types.MediaType, blob []byte, title string) (v1.Image, error) {
	layer := static.NewLayer(blob, blobType)
	described, err := partial.Descriptor(layer)
	if err != nil {
		return nil, err
	}
	if title != "" {
		described.Annotations = map[string]string{"org.opencontainers.image.title": title}
	}
	digest, size, err := v1.SHA256(bytes.NewReader(config))
	if err != nil {
		return nil, err
	}
	manifest.SchemaVersion, manifest.MediaType = 2, types.OCIManifestSchema1
	manifest.Config = v1.Descriptor{MediaType: configType, Digest: digest, Size: size}
	manifest.Layers = []v1.Descriptor{*described}
	encoded, err := json.Marshal(manifest)
	if err != nil {
		return nil, err
	}
	return partial.CompressedToImage(artifact{config, encoded, layer})
}

func (a artifact) RawConfigFile() ([]byte, error) { return a.config, nil }

func (a artifact) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

func (a artifact) RawManifest() ([]byte, error) { return a.manifest, nil }

func (a artifact) LayerByDigest(digest v1.Hash) (partial.CompressedLayer, error) {
	if own, err := a.blob.Digest(); err != nil || own != digest {
		return nil, fmt.Errorf("no blob %s: %w", digest, err)
	}
	return a.blob, nil
}
