package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const checksums = "checksums.txt"

func sha256Of(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, f)
	return hex.EncodeToString(hash.Sum(nil)), err
}

// sums gives the digest of each file that is attached to the release so far, by name in order.
func (r release) sums() (names []string, digests []string, err error) {
	entries, err := os.ReadDir(r.out) // sorted
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		sum, err := sha256Of(r.file(e.Name()))
		if err != nil {
			return nil, nil, err
		}
		names, digests = append(names, e.Name()), append(digests, sum)
	}
	return names, digests, nil
}

// writeChecksums writes the file that sha256sum --check reads.
func (r release) writeChecksums() error {
	names, digests, err := r.sums()
	if err != nil {
		return err
	}
	var out bytes.Buffer
	for i, name := range names {
		fmt.Fprintf(&out, "%s  %s\n", digests[i], name)
	}
	return r.write(checksums, out.Bytes())
}

// writeImageList writes the names that a cluster pulls, for those who mirror them.
func (r release) writeImageList(digests map[string]v1.Hash, chart v1.Hash) error {
	var out bytes.Buffer
	for _, image := range images {
		fmt.Fprintf(&out, "%s/%s:%s@%s\n", r.registry, image.name, r.version, digests[image.name])
	}
	fmt.Fprintf(&out, "%s/%s:%s@%s\n", r.registry, chartPath, r.chartVersion(), chart)
	return r.write("images.txt", out.Bytes())
}
