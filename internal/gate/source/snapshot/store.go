package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/revocation"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Store holds the current Snapshot and renews it from the mounted files and the remote keys. A new file that cannot be
// used changes nothing: the last good one stays, and so does what the operator published in a file that is gone. A key file
// of a user that is gone takes its keys with it.
type Store struct {
	source  Source
	current atomic.Pointer[Snapshot]
	problem atomic.Pointer[string]

	polling sync.Mutex // guards what follows
	config  mountedFile[configuration]
	keys    keyring
	revoked mountedFile[revocations]
	// lastGood is the last list of revocations without a fault; partial is that with what can be read of the present one.
	lastGood, partial revocation.List
	// revocationsKnown: since the start there was a good list of them, or none at all.
	revocationsKnown bool
	broken           map[string]error // by file; "" is for a whole folder
	unused           map[string]bool  // keys that were said not to be used
}

// configuration is a Config with the digest of the file it was read from, in hex.
type configuration struct {
	gateapi.Config

	sha256 string
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Open reads everything for the first time. There must be a good configuration; keys may come later.
func Open(source Source) (*Store, error) {
	s := &Store{source: source.withDefaults(), broken: map[string]error{}}
	s.keys = newKeyring(s.source)
	s.Poll()
	if s.Current() == nil {
		return nil, s.Problem()
	}
	return s, nil
}

// Current is the snapshot to decide by.
func (s *Store) Current() *Snapshot { return s.current.Load() }

// Problem is what keeps the files as they are now from being used, or nil.
func (s *Store) Problem() error {
	if text := s.problem.Load(); text != nil && *text != "" {
		return errors.New(*text)
	}
	return nil
}

// Poll reads the files once and, if anything has changed, makes a new snapshot of what is good. It may be called by
// anybody who knows of a change, such as of remote keys; calls wait for each other.
func (s *Store) Poll() {
	s.polling.Lock()
	defer s.polling.Unlock()
	broken := map[string]error{}
	changed := s.pollConfig(broken)
	if s.config.good {
		changed = s.pollKeysDir(broken) || changed
		changed = s.keys.pollRemote(s.config.value.Providers) || changed
	}
	if changed {
		next, unused := newSnapshot(s.config.value, &s.keys, s.revoked.value)
		next.RevocationsUnknown = !s.revocationsKnown
		s.current.Store(next)
		s.logUnused(unused)
	}
	s.logProblems(broken) // behind the swap: whoever sees no problem sees what is good
	if changed {
		s.source.Changed(s.Current())
	}
}

func (s *Store) pollConfig(broken map[string]error) (changed bool) {
	const name = gateapi.ConfigFile
	files, err := readMounted(s.source.ConfigDir, []string{name})
	if err != nil {
		broken[""] = err
		return false
	}
	now, present := files[name]
	if !present {
		now.err = fmt.Errorf("%s is not in %s", name, s.source.ConfigDir)
	}
	changed = s.config.take(now, s.parseConfig, s.source.Now()) && s.config.good
	if s.config.err != nil {
		broken[name] = s.config.err
	}
	if changed {
		s.source.Log.Info("configuration loaded", "file", name, "providers", len(s.config.value.Providers))
	}
	return changed
}

func (s *Store) parseConfig(raw []byte) (configuration, error) {
	config, err := gateapi.ParseConfig(raw)
	read := configuration{Config: config, sha256: digest(raw)}
	if err != nil || !s.config.good {
		return read, err
	}
	// Ports and TLS stay those with which this gate started: the listeners have them, and the server beside us was
	// started on its. A pod with others is another pod.
	old := s.config.value
	if config.Port != old.Port || config.AdminPort != old.AdminPort ||
		config.FallbackPort != old.FallbackPort || config.CanaryPort != old.CanaryPort ||
		config.Upstream.Port != old.Upstream.Port || config.TLS != old.TLS {
		s.source.Log.Warn("the configuration has other ports, or TLS where there was none or none where it was: it takes effect in a new pod")
	}
	read.TLS = old.TLS
	read.Port, read.AdminPort, read.FallbackPort, read.CanaryPort = old.Port, old.AdminPort, old.FallbackPort, old.CanaryPort
	read.Upstream.Port = old.Upstream.Port
	return read, nil
}

// pollKeysDir takes the key files and the revocations.
func (s *Store) pollKeysDir(broken map[string]error) (changed bool) {
	names := []string{gateapi.RevokedFile}
	for _, provider := range s.config.value.Providers {
		names = append(names, provider.KeyFiles()...)
	}
	contents, err := readMounted(s.source.KeysDir, names)
	if err != nil {
		broken[""] = err
		return false
	}
	changed = s.keys.pollFiles(s.config.value.Providers, contents, broken)
	now, present := contents[gateapi.RevokedFile]
	return s.pollRevoked(now, present, broken) || changed
}

// logUnused says once of each key that it was loaded for nothing.
func (s *Store) logUnused(unused map[string]bool) {
	for _, key := range slices.Sorted(maps.Keys(unused)) {
		if !s.unused[key] {
			s.source.Log.Warn("a key is not used: no algorithm of its provider fits it, or there are too many without a kid", "key", key)
		}
	}
	s.unused = unused
}

// logProblems says each new problem once and remembers what is wrong now.
func (s *Store) logProblems(broken map[string]error) {
	var all []error
	for _, file := range slices.Sorted(maps.Keys(broken)) {
		err := broken[file]
		all = append(all, err)
		if old := s.broken[file]; old != nil && old.Error() == err.Error() {
			continue
		}
		s.source.Log.Error("cannot use a mounted file: what was good before stays in force", "file", file, "error", err.Error())
		s.source.Failed(file)
	}
	s.broken = broken
	text := ""
	if joined := errors.Join(all...); joined != nil {
		text = joined.Error()
	}
	s.problem.Store(&text)
}
