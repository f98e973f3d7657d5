package snapshot

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFileBytes bounds a mounted file; the API server allows ConfigMaps and Secrets of 1 MiB.
const maxFileBytes = 1 << 20

// content is a file as it was read, or why it could not be.
type content struct {
	data []byte
	err  error
}

// ReadMounted reads files of a mounted Secret, all of one generation. A file that is not there is absent from the result; one
// that cannot be read is an error.
func ReadMounted(dir string, names ...string) (map[string][]byte, error) {
	contents, err := readMounted(dir, names)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for name, file := range contents {
		if file.err != nil {
			return nil, file.err
		}
		out[name] = file.data
	}
	return out, nil
}

// readMounted reads files of a mounted ConfigMap or Secret, all of one generation. A file that is not there is absent
// from the result.
//
// The kubelet writes each generation into a folder of its own and then renames the link "..data" onto it. So the link
// is resolved once, and again afterwards: if it moved, the read is repeated.
func readMounted(dir string, names []string) (map[string]content, error) {
	const attempts = 5
	for range attempts {
		before := generation(dir)
		files := readAll(filepath.Join(dir, before), names)
		if after := generation(dir); before == after {
			return files, nil
		}
	}
	return nil, fmt.Errorf("read %s: it changed during each of %d attempts", dir, attempts)
}

// generation is where "..data" points, relative to dir; empty for a plain folder.
func generation(dir string) string {
	target, err := os.Readlink(filepath.Join(dir, "..data"))
	if err != nil {
		return ""
	}
	return target
}

func readAll(dir string, names []string) map[string]content {
	files := map[string]content{}
	for _, name := range names {
		data, err := readBounded(filepath.Join(dir, name))
		if !errors.Is(err, fs.ErrNotExist) {
			files[name] = content{data: data, err: err}
		}
	}
	return files
}

func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err == nil && len(data) > maxFileBytes {
		err = fmt.Errorf("read %s: longer than %d bytes", path, maxFileBytes)
	}
	return data, err
}
