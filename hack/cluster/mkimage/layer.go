package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// mapping says that the file or folder source is at destination in the image. Without a source it is an empty folder.
type mapping struct{ source, destination string }

// layer is the result of writing one: the digest of the tar stream itself (what OCI calls the DiffID), and digest and
// size of its compressed form.
type layer struct {
	diffID, digest string
	size           int64
}

// writeLayer packs files in the order given, each folder sorted by name, as gzip'd tar.
func writeLayer(w io.Writer, files []mapping) (layer, error) {
	packed := &digester{w: w, hash: sha256.New()}
	// The fastest level: such images travel no further than to the next process.
	compressor, err := gzip.NewWriterLevel(packed, gzip.BestSpeed)
	if err != nil {
		return layer{}, err
	}
	plain := &digester{w: compressor, hash: sha256.New()}
	t := tree{tar: tar.NewWriter(plain), written: map[string]bool{"": true}}
	for _, m := range files {
		if err := t.add(m); err != nil {
			return layer{}, err
		}
	}
	if err := t.tar.Close(); err != nil {
		return layer{}, err
	}
	if err := compressor.Close(); err != nil {
		return layer{}, err
	}
	return layer{diffID: plain.digest(), digest: packed.digest(), size: packed.size}, nil
}

// digester counts and hashes what passes through it.
type digester struct {
	w    io.Writer
	hash hash.Hash
	size int64
}

func (d *digester) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	d.hash.Write(p[:n])
	d.size += int64(n)
	return n, err
}

func (d *digester) digest() string { return "sha256:" + hex.EncodeToString(d.hash.Sum(nil)) }

// tree writes a file tree to a tar stream, each path once and each folder before what is in it.
type tree struct {
	tar     *tar.Writer
	written map[string]bool
}

func (t *tree) add(m mapping) error {
	if m.source == "" {
		return t.folder(inImage(m.destination))
	}
	// A link named on the command line stands for what it points to; links within a folder are kept.
	source, err := filepath.EvalSymlinks(m.source)
	if err != nil {
		return err
	}
	return filepath.WalkDir(source, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(source, file)
		if err != nil {
			return err
		}
		return t.entry(file, inImage(path.Join(m.destination, filepath.ToSlash(relative))), entry.Type())
	})
}

func (t *tree) entry(file, name string, mode fs.FileMode) error {
	if mode.IsDir() {
		return t.folder(name)
	}
	if t.written[name] {
		return fmt.Errorf("/%s is in the image twice, the second time from %s", name, file)
	}
	if err := t.folder(inImage(path.Dir(name))); err != nil {
		return err
	}
	t.written[name] = true
	switch {
	case mode.IsRegular():
		return t.regular(file, name)
	case mode&fs.ModeSymlink != 0:
		target, err := os.Readlink(file)
		if err != nil {
			return err
		}
		return t.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777})
	}
	return fmt.Errorf("%s: neither a file, a folder nor a symbolic link", file)
}

func (t *tree) folder(name string) error {
	if t.written[name] {
		return nil
	}
	if err := t.folder(inImage(path.Dir(name))); err != nil {
		return err
	}
	t.written[name] = true
	mode := int64(0o755)
	if name == "tmp" { // as everywhere, for all users
		mode = 0o1777
	}
	return t.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode})
}

func (t *tree) regular(file, name string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	mode := int64(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	if err := t.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: info.Size(), Mode: mode}); err != nil {
		return err
	}
	if _, err := io.Copy(t.tar, f); err != nil {
		return fmt.Errorf("pack %s: %w", file, err)
	}
	return nil
}

// inImage is a path as a tar stream names it: clean, relative to the image's root, "" for the root itself.
func inImage(name string) string { return strings.Trim(path.Clean("/"+name), "/") }
