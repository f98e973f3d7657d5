package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// newSource makes a folder with a program, a data file, a link and an empty folder in it.
func newSource(t *testing.T, programMode os.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	for _, err := range []error{
		os.MkdirAll(filepath.Join(dir, "sub", "empty"), 0o700),
		os.WriteFile(filepath.Join(dir, "sub", "data"), []byte("data"), 0o600),
		os.WriteFile(filepath.Join(dir, "program"), []byte("program"), programMode),
		os.Symlink("program", filepath.Join(dir, "link")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestArchive(t *testing.T) {
	dir, out := newSource(t, 0o711), filepath.Join(t.TempDir(), "a.tar")
	err := run([]string{"-name", "gatehouse.local/x:1", "-o", out, "-arch", "arm64", "-user", "65532", "-workdir", "/app",
		"-entrypoint", "/app/program", "-entrypoint", "-a,b", "-cmd", "serve", "-env", "A=1",
		dir + "=/app", filepath.Join(dir, "link") + "=/usr/bin/program", "=/tmp"})
	if err != nil {
		t.Fatal(err)
	}
	archive := unpack(t, out)

	var idx index
	decode(t, archive["index.json"], &idx)
	if got := idx.Manifests[0].Annotations["io.containerd.image.name"]; got != "gatehouse.local/x:1" {
		t.Errorf("name %q", got)
	}
	var man manifest
	decode(t, readBlob(t, archive, idx.Manifests[0]), &man)
	var config configuration
	decode(t, readBlob(t, archive, man.Config), &config)
	if got, want := fmt.Sprintf("%+v", config.Config),
		"{User:65532 Env:[PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin A=1] Entrypoint:[/app/program -a,b] Cmd:[serve] WorkingDir:/app}"; got != want {
		t.Errorf("config\n got %s\nwant %s", got, want)
	}
	if config.Architecture != "arm64" || config.OS != "linux" {
		t.Errorf("platform %s/%s", config.OS, config.Architecture)
	}

	plain := gunzip(t, readBlob(t, archive, man.Layers[0]))
	if got := fmt.Sprintf("sha256:%x", sha256.Sum256(plain)); got != config.RootFS.DiffIDs[0] {
		t.Errorf("DiffID %s is not the layer's, %s", config.RootFS.DiffIDs[0], got)
	}
	want := []string{
		"app/ 755", "app/link 777 -> program", "app/program 755 program", "app/sub/ 755", "app/sub/data 644 data", "app/sub/empty/ 755",
		"usr/ 755", "usr/bin/ 755", "usr/bin/program 755 program", "tmp/ 1777",
	}
	if got := entries(t, plain); !slices.Equal(got, want) {
		t.Errorf("layer\n got %q\nwant %q", got, want)
	}
}

func TestSameInputGivesSameBytes(t *testing.T) {
	var archives [2][]byte
	for i, mode := range []os.FileMode{0o700, 0o755} { // another umask
		dir, out := newSource(t, mode), filepath.Join(t.TempDir(), "a.tar")
		touched := time.Unix(int64(1e9*(i+1)), 0)
		if err := os.Chtimes(filepath.Join(dir, "program"), touched, touched); err != nil {
			t.Fatal(err)
		}
		if err := run([]string{"-name", "x:1", "-o", out, "-arch", "amd64", dir + "=/"}); err != nil {
			t.Fatal(err)
		}
		archives[i], _ = os.ReadFile(out)
	}
	if len(archives[0]) == 0 || !bytes.Equal(archives[0], archives[1]) {
		t.Error("the archives differ")
	}
}

func TestRefusals(t *testing.T) {
	dir := newSource(t, 0o755)
	program := filepath.Join(dir, "program")
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"the tag latest", "other than latest", []string{"-name", "host:5000/x:latest", program + "=/p"}},
		{"no tag", "other than latest", []string{"-name", "host:5000/x", program + "=/p"}},
		{"no files", "at least one", []string{"-name", "x:1"}},
		{"no destination", "want SOURCE=DESTINATION", []string{"-name", "x:1", program + "="}},
		{"an absent source", "no such file", []string{"-name", "x:1", program + "s=/p"}},
		{"one path twice", "/app/program is in the image twice", []string{"-name", "x:1", dir + "=/app", program + "=/app/program"}},
		{"a device", "neither a file", []string{"-name", "x:1", "/dev/null=/null"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			err := run(append([]string{"-o", filepath.Join(folder, "a.tar")}, c.args...))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want %q in it", err, c.want)
			}
			if left, _ := os.ReadDir(folder); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestFailedRenameLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	taken := filepath.Join(folder, "a.tar")
	if err := os.MkdirAll(filepath.Join(taken, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"-name", "x:1", "-o", taken, "=/tmp"}); err == nil {
		t.Error("wrote over a folder")
	}
	if left, _ := os.ReadDir(folder); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func unpack(t *testing.T, name string) map[string][]byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	each(t, content, func(h *tar.Header, content []byte) { files[h.Name] = content })
	return files
}

func each(t *testing.T, archive []byte, f func(*tar.Header, []byte)) {
	t.Helper()
	r := tar.NewReader(bytes.NewReader(archive))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		f(h, content)
	}
}

// readBlob gives what a descriptor points to, when size and digest are right.
func readBlob(t *testing.T, archive map[string][]byte, d descriptor) []byte {
	t.Helper()
	b := archive["blobs/"+strings.Replace(d.Digest, ":", "/", 1)]
	if got := fmt.Sprintf("sha256:%x", sha256.Sum256(b)); got != d.Digest || int64(len(b)) != d.Size {
		t.Fatalf("%s: %d bytes with digest %s, want %d with %s", d.MediaType, len(b), got, d.Size, d.Digest)
	}
	return b
}

func entries(t *testing.T, blob []byte) []string {
	t.Helper()
	var list []string
	each(t, blob, func(h *tar.Header, content []byte) {
		entry := fmt.Sprintf("%s %o", h.Name, h.Mode)
		if h.Linkname != "" {
			entry += " -> " + h.Linkname
		} else if len(content) > 0 {
			entry += " " + string(content)
		}
		list = append(list, entry)
	})
	return list
}

func gunzip(t *testing.T, b []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func decode(t *testing.T, b []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}
