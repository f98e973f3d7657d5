package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path"
	"time"
)

// entry is a file in an archive.
type entry struct {
	name    string
	mode    int64
	content []byte
}

// archiveName gives the name of the command line's archive.
func (r release) archiveName(p platform) string {
	name := fmt.Sprintf("gatehouse_%s_%s", r.version, p)
	if p.os == "windows" {
		return name + ".zip"
	}
	return name + ".tar.gz"
}

// writeArchives writes the command line for each platform, with the license and an SBOM beside it.
func (r release) writeArchives() error {
	terms, err := os.ReadFile(r.source + "/LICENSE")
	if err != nil {
		return err
	}
	for _, p := range commandPlatforms {
		program := r.program(p, "gatehouse")
		content, err := os.ReadFile(program)
		if err != nil {
			return err
		}
		entries := []entry{{"LICENSE", 0o644, terms}, {path.Base(program), 0o755, content}}
		pack := tarGz
		if p.os == "windows" {
			pack = zipped
		}
		archive, err := pack(entries, r.created)
		if err != nil {
			return err
		}
		if err := r.write(r.archiveName(p), archive); err != nil {
			return err
		}
		if _, err := r.writeSBOM("gatehouse", p); err != nil {
			return err
		}
	}
	return nil
}

// tarGz packs files as a .tar.gz.
func tarGz(entries []entry, created time.Time) ([]byte, error) {
	var out bytes.Buffer
	compressor, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if err := writeTar(compressor, entries, created); err != nil {
		return nil, err
	}
	err = compressor.Close()
	return out.Bytes(), err
}

// writeTar packs files as a tar stream that belongs to root. Folders are not in it: whoever unpacks makes them.
func writeTar(w io.Writer, entries []entry, created time.Time) error {
	archive := tar.NewWriter(w)
	for _, e := range entries {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: e.name, Mode: e.mode, Size: int64(len(e.content)), ModTime: created, Format: tar.FormatUSTAR,
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(e.content); err != nil {
			return err
		}
	}
	return archive.Close()
}

// zipped packs files as a .zip.
func zipped(entries []entry, created time.Time) ([]byte, error) {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: created}
		header.SetMode(os.FileMode(e.mode))
		w, err := archive.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(e.content); err != nil {
			return nil, err
		}
	}
	err := archive.Close()
	return out.Bytes(), err
}
