package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/mod/semver"
)

// Where the project is.
const (
	repository = "https://github.com/mcp-gatehouse/gatehouse"
	license    = "Apache-2.0"
)

// release is what a release is made from.
type release struct {
	version   string    // v0.2.0
	revision  string    // the commit
	created   time.Time // of the commit: nothing knows when the release was built
	registry  string    // where the images are
	source    string    // the repository's root
	programs  string    // OS_ARCH/NAME
	kustomize string
	out       string
	builder   builder
}

// platform is one that programs are built for.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "_" + p.arch }

// Platforms of the command line, and of the images.
var (
	commandPlatforms = []platform{
		{"darwin", "amd64"}, {"darwin", "arm64"}, {"linux", "amd64"}, {"linux", "arm64"}, {"windows", "amd64"}, {"windows", "arm64"},
	}
	imagePlatforms = []platform{{"linux", "amd64"}, {"linux", "arm64"}}
)

// check refuses what would make a release that nobody can install.
func (r release) check() error {
	switch {
	case !semver.IsValid(r.version) || semver.Canonical(r.version) != r.version:
		return fmt.Errorf("version %q: want a semantic version with a v and three numbers, such as v0.2.0 or v0.2.0-rc.1, and no +build", r.version)
	case len(r.revision) != 40:
		return fmt.Errorf("revision %q: want the full name of a commit", r.revision)
	case r.created.Unix() <= 0:
		return errors.New("want the time of the commit")
	case r.registry == "":
		return errors.New("want a registry")
	}
	if _, err := os.Stat(r.out); err == nil {
		return fmt.Errorf("%s is there already", r.out)
	}
	return nil
}

// build writes all files of the release. The folder appears whole or not at all.
func (r release) build(ctx context.Context) (err error) {
	if err := r.check(); err != nil {
		return err
	}
	final := r.out
	r.out = final + ".part"
	if err := errors.Join(os.RemoveAll(r.out), os.MkdirAll(r.out, 0o755)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.out)) }()

	digests := map[string]v1.Hash{}
	for _, image := range images {
		if digests[image.name], err = r.writeImage(image); err != nil {
			return fmt.Errorf("image %s: %w", image.name, err)
		}
	}
	chartDigest, err := r.writeChart(digests)
	if err != nil {
		return fmt.Errorf("chart: %w", err)
	}
	for _, step := range []struct {
		name string
		run  func() error
	}{
		{"command line", r.writeArchives},
		{"manifests", func() error { return r.writeManifests(ctx, digests) }},
		{"list of images", func() error { return r.writeImageList(digests, chartDigest) }},
		{"Krew manifest", r.writeKrew},
		{"checksums", r.writeChecksums},
		{"provenance", func() error { return r.writeProvenance(digests, chartDigest) }},
	} {
		if err := step.run(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return os.Rename(r.out, final)
}

// file gives where a file of the release is.
func (r release) file(name string) string { return filepath.Join(r.out, name) }

// program gives where a program is.
func (r release) program(p platform, name string) string {
	if p.os == "windows" {
		name += ".exe"
	}
	return filepath.Join(r.programs, p.String(), name)
}

func (r release) write(name string, content []byte) error {
	return os.WriteFile(r.file(name), content, 0o644)
}
