// Package certificate holds the certificate that the gate shows to clients, and renews it from the mounted files while
// connections go on. It knows which TLS is good enough.
//
// It must not know what is said over a connection.
package certificate

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// ErrNone: no certificate has been loaded, so nobody can connect.
var ErrNone = errors.New("no TLS certificate is loaded")

// Source says where a Store reads, and whom it tells.
type Source struct {
	// Dir holds gateapi.TLSCertFile and gateapi.TLSKeyFile.
	Dir string
	Log *slog.Logger
	// Failed is called for each new pair of files that could not be used.
	Failed func()
}

// Store holds the certificate in force. Files that cannot be used change nothing: the last good pair stays, also when
// they are gone. A pair is good if it can be read and belongs together; whether it is still valid is for clients to
// judge by their clocks, and for whoever watches Expires.
type Store struct {
	source  Source
	current atomic.Pointer[tls.Certificate]
	problem atomic.Pointer[error]

	// What follows belongs to the goroutine that calls Poll.
	seen    pair  // as last read
	refused error // why seen is not in force
}

type pair struct{ certificate, key []byte }

func (p pair) equal(other pair) bool {
	return bytes.Equal(p.certificate, other.certificate) && bytes.Equal(p.key, other.key)
}

// Open reads the files for the first time. Without a good pair nobody can connect until there is one.
func Open(source Source) *Store {
	s := &Store{source: source}
	s.Poll()
	return s
}

// Poll reads the files once and tells whether another certificate is in force now.
func (s *Store) Poll() (renewed bool) {
	now, err := read(s.source.Dir)
	if err == nil && !now.equal(s.seen) {
		s.seen = now
		s.refused = s.load(now)
		renewed = s.refused == nil
	}
	s.note(errors.Join(err, s.refused))
	return renewed
}

func (s *Store) load(files pair) error {
	loaded, err := tls.X509KeyPair(files.certificate, files.key)
	if err != nil {
		return err
	}
	s.current.Store(&loaded)
	s.source.Log.Info("TLS certificate loaded", "subject", loaded.Leaf.Subject.String(), "names", loaded.Leaf.DNSNames,
		"expires", loaded.Leaf.NotAfter.UTC().Format(time.RFC3339))
	return nil
}

// read reads both files of one generation: the kubelet writes each into a folder of its own, renames "..data" onto it,
// and then removes the old one. Where that happens under way, the next Poll finds both again.
func read(dir string) (pair, error) {
	if generation, err := filepath.EvalSymlinks(filepath.Join(dir, "..data")); err == nil {
		dir = generation
	}
	certificate, certificateErr := os.ReadFile(filepath.Join(dir, gateapi.TLSCertFile))
	key, keyErr := os.ReadFile(filepath.Join(dir, gateapi.TLSKeyFile))
	return pair{certificate: certificate, key: key}, errors.Join(certificateErr, keyErr)
}

// note remembers what is wrong, or that nothing is; a problem is told once for each text.
func (s *Store) note(err error) {
	if err == nil {
		s.problem.Store(nil)
		return
	}
	err = fmt.Errorf("TLS certificate in %s: %w", s.source.Dir, err)
	if old := s.Problem(); old != nil && old.Error() == err.Error() {
		return
	}
	s.problem.Store(&err)
	s.source.Log.Error("cannot use the TLS certificate: what was good before stays in force", "error", err.Error())
	s.source.Failed()
}

// Problem is what keeps the files as they are now from being used, or nil.
func (s *Store) Problem() error {
	if err := s.problem.Load(); err != nil {
		return *err
	}
	return nil
}

// Leaf is the certificate in force; nil without one, and of a nil Store.
func (s *Store) Leaf() *x509.Certificate {
	if s == nil {
		return nil
	}
	if current := s.current.Load(); current != nil {
		return current.Leaf
	}
	return nil
}

// SHA256 is the digest, in hex, of the certificate in force; empty without one, and of a nil Store.
func (s *Store) SHA256() string {
	leaf := s.Leaf()
	if leaf == nil {
		return ""
	}
	sum := sha256.Sum256(leaf.Raw)
	return hex.EncodeToString(sum[:])
}

// Expires is when the certificate in force does; the zero time without one, and of a nil Store.
func (s *Store) Expires() time.Time {
	if leaf := s.Leaf(); leaf != nil {
		return leaf.NotAfter
	}
	return time.Time{}
}

func (s *Store) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if current := s.current.Load(); current != nil {
		return current, nil
	}
	return nil, ErrNone
}
