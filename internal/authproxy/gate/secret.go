package gate

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/audit"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/session"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/snapshot"
)

var errNoSecret = errors.New("sessions cannot be bound: the gate's secret is missing or not 32 bytes long")

// secrets are the keys derived from the gate's secret at one moment. They are never changed. Without a secret there is
// no keyring, and subjects have no names.
type secrets struct {
	sessions *session.Keyring
	subjects audit.Subjects
	probes   probeKeys
	admin    []admin.Key
	ids      admin.SecretIDs
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

// poll reads the files once, all of one turn: between two turns a session could be sealed with none of them.
func (s *secretStore) poll() {
	found, err := snapshot.ReadMounted(s.dir, authproxy.SecretFile, authproxy.NextSecretFile, authproxy.PreviousSecretFile)
	if err != nil {
		s.tell(err)
		return
	}
	// nil for one that is not there.
	files := [][]byte{found[authproxy.SecretFile], found[authproxy.NextSecretFile], found[authproxy.PreviousSecretFile]}
	if s.seen != nil && bytes.Equal(files[0], s.seen[0]) && bytes.Equal(files[1], s.seen[1]) && bytes.Equal(files[2], s.seen[2]) {
		return
	}
	s.seen = files
	next, err := derive(files[0], files[1], files[2])
	s.tell(err)
	if err == nil {
		s.current.Store(next)
	}
}

// derive makes no secrets where there is no current one.
func derive(current, next, previous []byte) (*secrets, error) {
	if current == nil {
		return &secrets{}, nil
	}
	present := [][]byte{current}
	for _, secret := range [][]byte{next, previous} {
		if secret != nil {
			present = append(present, secret)
		}
	}
	out, err := &secrets{}, error(nil)
	if out.sessions, err = session.NewKeyring(current, present[1:]...); err != nil {
		return nil, err
	}
	if out.probes, err = newProbeKeys(present...); err != nil {
		return nil, err
	}
	for _, secret := range present {
		key, err := admin.NewKey(secret)
		if err != nil {
			return nil, err
		}
		out.admin = append(out.admin, key)
	}
	if out.ids, err = secretIDs(current, next, previous); err != nil {
		return nil, err
	}
	out.subjects, err = audit.NewSubjects(current)
	return out, err
}

// secretIDs names the secrets; nil is one that is not there.
func secretIDs(current, next, previous []byte) (ids admin.SecretIDs, err error) {
	for _, secret := range []struct {
		id    *string
		bytes []byte
	}{{&ids.Current, current}, {&ids.Next, next}, {&ids.Previous, previous}} {
		if secret.bytes == nil {
			continue
		}
		if *secret.id, err = admin.SecretID(secret.bytes); err != nil {
			return ids, err
		}
	}
	return ids, nil
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
