package gate

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/audit"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/session"
)

var errNoSecret = errors.New("sessions cannot be bound: the gate's secret is missing or not 32 bytes long")

// secrets are the keys derived from the gate's secret at one moment. They are never changed. Without a secret there is
// no keyring, and subjects have no names.
type secrets struct {
	sessions *session.Keyring
	subjects audit.Subjects
	probes   probeKeys
}

// secretStore renews the secrets from the mounted files. A secret that is gone takes its keys with it; one that cannot
// be used changes nothing.
type secretStore struct {
	dir     string
	log     *slog.Logger
	current atomic.Pointer[secrets]

	// What follows belongs to the goroutine that calls poll.
	seen    [][]byte
	problem string
}

func newSecretStore(dir string, log *slog.Logger) *secretStore {
	s := &secretStore{dir: dir, log: log}
	s.current.Store(&secrets{})
	s.poll()
	return s
}

// poll reads the files once. While they turn over, they may be of two generations: the next poll has them all.
func (s *secretStore) poll() {
	var files [][]byte // current, next, previous; nil for one that is not there
	for _, name := range []string{authproxy.SecretFile, authproxy.NextSecretFile, authproxy.PreviousSecretFile} {
		data, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.tell(err)
			return
		}
		files = append(files, data)
	}
	if s.seen != nil && bytes.Equal(files[0], s.seen[0]) && bytes.Equal(files[1], s.seen[1]) && bytes.Equal(files[2], s.seen[2]) {
		return
	}
	s.seen = files
	next, err := derive(files[0], files[1:])
	s.tell(err)
	if err == nil {
		s.current.Store(next)
	}
}

// derive makes no secrets where there is no current one.
func derive(current []byte, others [][]byte) (*secrets, error) {
	if current == nil {
		return &secrets{}, nil
	}
	var present [][]byte
	for _, secret := range others {
		if secret != nil {
			present = append(present, secret)
		}
	}
	sessions, err := session.NewKeyring(current, present...)
	if err != nil {
		return nil, err
	}
	prober, err := newProbeKeys(append(present, current)...)
	if err != nil {
		return nil, err
	}
	subjects, err := audit.NewSubjects(current)
	return &secrets{sessions: sessions, subjects: subjects, probes: prober}, err
}

// tell says each problem once.
func (s *secretStore) tell(err error) {
	problem := ""
	if err != nil {
		problem = fmt.Sprintf("the gate's secret in %s: %v", s.dir, err)
	}
	if problem != s.problem && err != nil {
		s.log.Error("cannot use a mounted file: what was good before stays in force", "error", problem)
	}
	s.problem = problem
}

// canBind tells why sessions cannot be bound to their callers although they must be.
func (g *Gate) canBind() error {
	if g.store.Current().Config.SessionBinding == authproxy.SessionBindingCaller && g.secrets.current.Load().sessions == nil {
		return errNoSecret
	}
	return nil
}
