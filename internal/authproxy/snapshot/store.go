package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Source says where a Store reads, and whom it tells.
type Source struct {
	ConfigDir, KeysDir string
	Now                func() time.Time
	Log                *slog.Logger
	// Failed is called for each new file content that could not be used, with the file's name.
	Failed func(file string)
}

// Store holds the current Snapshot and renews it from the mounted files. A new file that cannot be used changes
// nothing: the last good one stays. A key file that is gone takes its keys with it.
type Store struct {
	source  Source
	current atomic.Pointer[Snapshot]
	problem atomic.Pointer[string]

	// What follows belongs to the goroutine that calls Poll.
	seen   map[string][]byte        // file contents last read
	config []byte                   // last good configuration
	parsed authproxy.Config         // the same, read
	good   map[string][]keys.Public // last good keys by provider
	broken map[string]error         // by file
}

// Open reads everything for the first time. There must be a good configuration; keys may come later.
func Open(source Source) (*Store, error) {
	s := &Store{source: source, good: map[string][]keys.Public{}, broken: map[string]error{}}
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

// Poll reads the files once and, if they changed, makes a new snapshot of what is good.
func (s *Store) Poll() {
	files, err := s.read()
	if err != nil {
		s.note("", err)
		s.publishProblem()
		return
	}
	delete(s.broken, "")
	if s.seen != nil && maps.EqualFunc(files, s.seen, bytes.Equal) {
		s.publishProblem()
		return
	}
	s.loadConfig(files[authproxy.ConfigFile])
	if s.config != nil {
		// The configuration says which key files there are: after a change of providers they are read anew.
		if files, err = s.read(); err != nil {
			s.note("", err)
			s.publishProblem()
			return
		}
		s.loadKeys(files)
		s.seen = files
		s.current.Store(newSnapshot(s.config, s.parsed, maps.Clone(s.good), s.source.Now))
	}
	s.publishProblem()
}

func (s *Store) read() (map[string][]byte, error) {
	files, err := readMounted(s.source.ConfigDir, []string{authproxy.ConfigFile})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, provider := range s.parsed.Providers {
		names = append(names, authproxy.KeysFile(provider.Name))
	}
	sets, err := readMounted(s.source.KeysDir, names)
	maps.Copy(files, sets)
	return files, err
}

func (s *Store) loadConfig(raw []byte) {
	if bytes.Equal(raw, s.config) && raw != nil {
		delete(s.broken, authproxy.ConfigFile)
		return
	}
	if raw == nil {
		s.note(authproxy.ConfigFile, fmt.Errorf("%s is not in %s", authproxy.ConfigFile, s.source.ConfigDir))
		return
	}
	config, err := authproxy.ParseConfig(raw)
	if err != nil {
		s.note(authproxy.ConfigFile, err)
		return
	}
	if s.config != nil {
		config = keepPorts(config, s.parsed, s.source.Log)
	}
	s.config, s.parsed = raw, config
	delete(s.broken, authproxy.ConfigFile)
	s.source.Log.Info("configuration loaded", "file", authproxy.ConfigFile, "providers", len(config.Providers))
}

// keepPorts keeps the ports with which this gate started: the listeners have them, and the server beside us was
// started on its. A pod with other ports is another pod.
func keepPorts(config, old authproxy.Config, log *slog.Logger) authproxy.Config {
	if config.Port != old.Port || config.AdminPort != old.AdminPort || config.Upstream.Port != old.Upstream.Port {
		log.Warn("the configuration has other ports: they take effect in a new pod")
	}
	config.Port, config.AdminPort, config.Upstream.Port = old.Port, old.AdminPort, old.Upstream.Port
	return config
}

func (s *Store) loadKeys(files map[string][]byte) {
	known := map[string]bool{}
	for _, provider := range s.parsed.Providers {
		known[provider.Name] = true
		s.loadKeySet(provider.Name, files[authproxy.KeysFile(provider.Name)])
	}
	maps.DeleteFunc(s.good, func(name string, _ []keys.Public) bool { return !known[name] })
	maps.DeleteFunc(s.broken, func(file string, _ error) bool {
		return file != authproxy.ConfigFile && files[file] == nil
	})
}

func (s *Store) loadKeySet(provider string, raw []byte) {
	file := authproxy.KeysFile(provider)
	if raw == nil {
		if _, had := s.good[provider]; had || s.seen == nil {
			s.source.Log.Warn("no keys: nobody can enter with a token of this provider", "provider", provider, "file", file)
		}
		delete(s.good, provider)
		return
	}
	set, err := keys.ParsePublic(raw)
	if err != nil {
		if !bytes.Equal(raw, s.seen[file]) {
			s.note(file, fmt.Errorf("%s: %w", file, err))
		}
		return
	}
	delete(s.broken, file)
	if !bytes.Equal(raw, s.seen[file]) {
		s.source.Log.Info("keys loaded", "provider", provider, "keys", len(set.Keys), "ignored", set.Ignored)
	}
	s.good[provider] = set.Keys
}

// note remembers a problem; it is told once for each text.
func (s *Store) note(file string, err error) {
	if old := s.broken[file]; old != nil && old.Error() == err.Error() {
		return
	}
	s.broken[file] = err
	s.publishProblem()
	s.source.Log.Error("cannot use a mounted file: what was good before stays in force", "file", file, "error", err.Error())
	s.source.Failed(file)
}

func (s *Store) publishProblem() {
	var all []error
	for _, file := range slices.Sorted(maps.Keys(s.broken)) {
		all = append(all, s.broken[file])
	}
	text := ""
	if joined := errors.Join(all...); joined != nil {
		text = joined.Error()
	}
	s.problem.Store(&text)
}
