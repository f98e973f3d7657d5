package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// refName is the annotation by which an OCI layout names what is in it.
const refName = "org.opencontainers.image.ref.name"

// imageSpec is an image of the release.
type imageSpec struct{ name, title, description string }

// images are those of the release. Each has one program, of the image's name, and nothing else but root certificates: no base
// image, so nothing of others' makes is in it.
var images = []imageSpec{
	{"operator", "Gatehouse operator", "Runs MCP servers behind a gate that is locked by default, and keeps trying the lock."},
	{"authproxy", "Gatehouse gate", "The gate: a sidecar that lets nobody in to an MCP server without a valid token."},
}

// labels describe an image, in its configuration, in its manifests and in its index.
func (r release) labels(spec imageSpec) map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":         spec.title,
		"org.opencontainers.image.description":   spec.description,
		"org.opencontainers.image.version":       r.version,
		"org.opencontainers.image.revision":      r.revision,
		"org.opencontainers.image.created":       r.created.Format(time.RFC3339),
		"org.opencontainers.image.licenses":      license,
		"org.opencontainers.image.vendor":        "The Gatehouse authors",
		"org.opencontainers.image.source":        repository,
		"org.opencontainers.image.url":           repository,
		"org.opencontainers.image.documentation": repository + "/blob/" + r.version + "/README.md",
	}
}

// writeImage writes an image of all platforms as the OCI layout images/NAME, with an SBOM of each platform that refers to it,
// and gives the digest of its index.
func (r release) writeImage(spec imageSpec) (v1.Hash, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	var documents []v1.Image
	for _, p := range imagePlatforms {
		image, err := r.image(spec, p)
		if err != nil {
			return v1.Hash{}, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.os, Architecture: p.arch}},
		})
		bom, err := r.writeSBOM(spec.name, p)
		if err != nil {
			return v1.Hash{}, err
		}
		document, err := attachedSBOM(image, bom, sbomName(spec.name, r.version, p), r.created)
		if err != nil {
			return v1.Hash{}, err
		}
		documents = append(documents, document)
	}
	index = mutate.Annotations(index, r.labels(spec)).(v1.ImageIndex) //nolint:forcetypeassert // it returns what it is given
	folder, err := layout.Write(r.file("images/"+spec.name), empty.Index)
	if err != nil {
		return v1.Hash{}, err
	}
	if err := folder.AppendIndex(index, layout.WithAnnotations(map[string]string{refName: r.version})); err != nil {
		return v1.Hash{}, err
	}
	for _, document := range documents {
		if err := folder.AppendImage(document); err != nil {
			return v1.Hash{}, err
		}
	}
	return index.Digest()
}

// image makes the image of one platform.
func (r release) image(spec imageSpec, p platform) (v1.Image, error) {
	layer, err := r.layer(spec, p)
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	base, err = mutate.ConfigFile(base, &v1.ConfigFile{
		Architecture: p.arch, OS: p.os, Created: v1.Time{Time: r.created}, Author: "The Gatehouse authors",
		Config: v1.Config{
			User: "65532:65532", Entrypoint: []string{"/" + spec.name}, WorkingDir: "/", Labels: maps.Clone(r.labels(spec)),
			Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		},
		RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, err
	}
	image, err := mutate.Append(base, mutate.Addendum{
		Layer: layer, MediaType: types.OCILayer,
		History: v1.History{Created: v1.Time{Time: r.created}, CreatedBy: "hack/release", Comment: spec.title + " " + r.version},
	})
	if err != nil {
		return nil, err
	}
	return mutate.Annotations(image, r.labels(spec)).(v1.Image), nil //nolint:forcetypeassert // it returns what it is given
}

// layer makes the one layer of an image.
func (r release) layer(spec imageSpec, p platform) (v1.Layer, error) {
	program, err := os.ReadFile(r.program(p, spec.name))
	if err != nil {
		return nil, err
	}
	terms, err := os.ReadFile(r.source + "/LICENSE")
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	err = writeTar(&packed, []entry{
		{"etc/ssl/certs/ca-certificates.crt", 0o644, rootCertificates()}, // where Go looks for them
		{"licenses/LICENSE", 0o644, terms},
		{spec.name, 0o755, program},
	}, r.created)
	if err != nil {
		return nil, err
	}
	opener := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil }
	return tarball.LayerFromOpener(opener, tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(gzip.BestCompression),
		tarball.WithCompressedCaching)
}

// attachedSBOM makes the artifact by which registries and scanners find an image's SBOM.
func attachedSBOM(image v1.Image, bom []byte, title string, created time.Time) (v1.Image, error) {
	descriptor, err := partial.Descriptor(image)
	if err != nil {
		return nil, err
	}
	return newArtifact(v1.Manifest{
		ArtifactType: string(sbomType),
		Subject:      &v1.Descriptor{MediaType: descriptor.MediaType, Digest: descriptor.Digest, Size: descriptor.Size},
		Annotations:  map[string]string{"org.opencontainers.image.created": created.Format(time.RFC3339)},
	}, emptyType, []byte("{}"), sbomType, bom, title)
}
