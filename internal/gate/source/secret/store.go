// Package secret holds the keys that are derived from the gate's secret.
//
// It must not know what they are used for.
package secret

import (
	"bytes"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/session"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/audit"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/probeid"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Keys are derived from the gate's secret at one moment. They are never changed. Without a secret there is
// no keyring, and subjects have no names.
type Keys struct {
	Sessions     *session.Keyring
	Subjects     audit.Subjects
	Probes       probeid.Keys
	Admin        []admin.Key
	IDs          admin.SecretIDs
	Fingerprints admin.Fingerprinter
}

// Store renews the Keys from the mounted files. A secret that is gone takes its keys with it; one that cannot
// be used changes nothing.
type Store struct {
	dir     string
	log     *slog.Logger
	current atomic.Pointer[Keys]

	// What follows belongs to the goroutine that calls Poll.
	seen    [][]byte
	problem string
}

// Open reads the secret, if there is one.
func Open(dir string, log *slog.Logger) *Store {
	s := &Store{dir: dir, log: log}
	s.current.Store(&Keys{})
	s.Poll()
	return s
}

// Current returns the Keys in force.
func (s *Store) Current() *Keys { return s.current.Load() }

// Poll reads the files once, all of one turn: between two turns a session could be sealed with none of them.
func (s *Store) Poll() {
	found, err := snapshot.ReadMounted(s.dir, gateapi.SecretFile, gateapi.NextSecretFile, gateapi.PreviousSecretFile)
	if err != nil {
		s.logProblem(err)
		return
	}
	// nil for one that is not there.
	files := [][]byte{found[gateapi.SecretFile], found[gateapi.NextSecretFile], found[gateapi.PreviousSecretFile]}
	if s.seen != nil && bytes.Equal(files[0], s.seen[0]) && bytes.Equal(files[1], s.seen[1]) && bytes.Equal(files[2], s.seen[2]) {
		return
	}
	s.seen = files
	next, err := derive(files[0], files[1], files[2])
	s.logProblem(err)
	if err == nil {
		s.current.Store(next)
	}
}

// derive makes no secrets where there is no current one.
func derive(current, next, previous []byte) (*Keys, error) {
	if current == nil {
		return &Keys{}, nil
	}
	present := [][]byte{current}
	for _, secret := range [][]byte{next, previous} {
		if secret != nil {
			present = append(present, secret)
		}
	}
	out, err := &Keys{}, error(nil)
	if out.Sessions, err = session.NewKeyring(current, present[1:]...); err != nil {
		return nil, err
	}
	if out.Probes, err = probeid.NewKeys(present...); err != nil {
		return nil, err
	}
	for _, secret := range present {
		key, err := admin.NewKey(secret)
		if err != nil {
			return nil, err
		}
		out.Admin = append(out.Admin, key)
	}
	if out.IDs, err = idsOf(current, next, previous); err != nil {
		return nil, err
	}
	if out.Fingerprints, err = admin.NewFingerprinter(current); err != nil {
		return nil, err
	}
	out.Subjects, err = audit.NewSubjects(current)
	return out, err
}

// idsOf names the secrets; nil is one that is not there.
func idsOf(current, next, previous []byte) (ids admin.SecretIDs, err error) {
	for _, named := range []struct {
		id    *string
		bytes []byte
	}{{&ids.Current, current}, {&ids.Next, next}, {&ids.Previous, previous}} {
		if named.bytes == nil {
			continue
		}
		if *named.id, err = admin.SecretID(named.bytes); err != nil {
			return ids, err
		}
	}
	return ids, nil
}

// logProblem says each problem once.
func (s *Store) logProblem(err error) {
	problem := ""
	if err != nil {
		problem = fmt.Sprintf("the gate's secret in %s: %v", s.dir, err)
	}
	if problem != s.problem && err != nil {
		s.log.Error("cannot use a mounted file: what was good before stays in force", "error", problem)
	}
	s.problem = problem
}
