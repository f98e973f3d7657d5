package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// pushAll pushes the images, their SBOMs and the chart of a release, and returns what is to be signed: each name by its
// digest, which is the one that the release's files have.
func pushAll(ctx context.Context, from, registry string, plainHTTP bool) ([]string, error) {
	if from == "" || registry == "" {
		return nil, errors.New("want -from FOLDER and -registry NAME")
	}
	var options []name.Option
	if plainHTTP {
		options = append(options, name.Insecure)
	}
	var out []string
	for _, layoutOf := range []struct{ folder, path string }{
		{"operator", "operator"}, {"authproxy", "authproxy"}, {"chart", chartPath},
	} {
		target, err := name.NewRepository(registry+"/"+layoutOf.path, options...)
		if err != nil {
			return out, err
		}
		digest, err := pushLayout(ctx, filepath.Join(from, "images", layoutOf.folder), target)
		if err != nil {
			return out, fmt.Errorf("push %s: %w", target, err)
		}
		out = append(out, target.Digest(digest.String()).String())
	}
	return out, nil
}

// pushLayout pushes what is in an OCI layout, and returns the digest of what has a tag there.
func pushLayout(ctx context.Context, folder string, target name.Repository) (v1.Hash, error) {
	contents, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		return v1.Hash{}, err
	}
	manifest, err := contents.IndexManifest()
	if err != nil {
		return v1.Hash{}, err
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	var tagged v1.Hash
	for _, descriptor := range manifest.Manifests {
		var reference name.Reference = target.Digest(descriptor.Digest.String())
		if tag := descriptor.Annotations[refName]; tag != "" {
			reference, tagged = target.Tag(tag), descriptor.Digest
		}
		if descriptor.MediaType.IsIndex() {
			index, err := contents.ImageIndex(descriptor.Digest)
			if err != nil {
				return v1.Hash{}, err
			}
			if err := remote.WriteIndex(reference, index, options...); err != nil {
				return v1.Hash{}, err
			}
			continue
		}
		image, err := contents.Image(descriptor.Digest)
		if err != nil {
			return v1.Hash{}, err
		}
		if err := remote.Write(reference, image, options...); err != nil {
			return v1.Hash{}, err
		}
	}
	return tagged, nil
}
