package snapshot

import (
	"log/slog"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Source says where a Store reads, and whom it tells.
type Source struct {
	ConfigDir, KeysDir string
	// PodUID is that of the gate's own pod; see verify.New.
	PodUID string
	Now    func() time.Time
	Log    *slog.Logger
	// Failed is called for each new file content that could not be used, with the file's name.
	Failed func(file string)
	// Remote gives what is known now of a provider's remote keys; it must not wait for them. It is asked at each Poll,
	// for each provider whose Keys are Remote. nil: there are none.
	Remote func(gateapi.Provider) RemoteSet
	// Changed is called with each new Snapshot, the first one included, right after it has come into force. It must
	// neither block nor call Poll. nil tells nobody.
	Changed func(*Snapshot)
}

// RemoteSet is a provider's fetched keys. The zero value is that of a provider without keys: they were never fetched,
// or are too old.
type RemoteSet struct {
	Keys []keys.Public
	// Revision is another whenever Keys are others, and 0 only without any. A set of the same revision is not looked
	// at again. Whoever has fetched another calls Poll to bring it into force at once.
	Revision uint64
}

func (s Source) withDefaults() Source {
	if s.Remote == nil {
		s.Remote = func(gateapi.Provider) RemoteSet { return RemoteSet{} }
	}
	if s.Changed == nil {
		s.Changed = func(*Snapshot) {}
	}
	if s.Failed == nil {
		s.Failed = func(string) {}
	}
	return s
}
