package snapshot

import (
	"fmt"
	"maps"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// keyring holds the keys of all providers, as they are in their files and as they were fetched.
type keyring struct {
	source Source
	files  map[keyFile]*mountedFile[keys.Set]
	remote map[string]fetched // by provider
	absent map[keyFile]bool   // and said to be
}

// keyFile is a file in KeysDir and how it is read.
type keyFile struct {
	name   string
	format gateapi.KeyFormat
	// published: the operator writes it, and never takes it away. Others are users' own, who revoke a key by deleting it.
	published bool
}

type fetched struct {
	RemoteSet

	at time.Time
}

func newKeyring(source Source) keyring {
	return keyring{
		source: source, files: map[keyFile]*mountedFile[keys.Set]{}, remote: map[string]fetched{}, absent: map[keyFile]bool{},
	}
}

// keyFiles are the files of a provider.
func keyFiles(provider gateapi.Provider) []keyFile {
	var files []keyFile
	for _, name := range provider.KeyFiles() {
		files = append(files, keyFile{name: name, format: provider.Keys.Format, published: len(provider.Keys.Files) == 0})
	}
	return files
}

// pollFiles takes the key files as they are now; it tells whether keys have changed, and adds to broken which files
// cannot be used.
func (k *keyring) pollFiles(providers []gateapi.Provider, contents map[string]content, broken map[string]error) (changed bool) {
	wanted := map[keyFile]bool{}
	for _, provider := range providers {
		for _, id := range keyFiles(provider) {
			wanted[id] = true
		}
	}
	maps.DeleteFunc(k.files, func(id keyFile, _ *mountedFile[keys.Set]) bool { return !wanted[id] })
	maps.DeleteFunc(k.absent, func(id keyFile, _ bool) bool { return !wanted[id] })
	for id := range wanted {
		now, present := contents[id.name]
		changed = k.readKeyFile(id, now, present, broken) || changed
	}
	return changed
}

// readKeyFile takes one file as it is now.
func (k *keyring) readKeyFile(id keyFile, now content, present bool, broken map[string]error) (changed bool) {
	switch {
	case present:
	case id.published && k.files[id] != nil:
		now.err = errGone
	default:
		return k.dropKeyFile(id)
	}
	delete(k.absent, id)
	if k.files[id] == nil {
		k.files[id] = &mountedFile[keys.Set]{}
	}
	known := k.files[id]
	changed = known.take(now, id.parse, k.source.Now())
	if known.err != nil {
		broken[id.name] = fmt.Errorf("%s: %w", id.name, known.err)
	} else if changed {
		k.source.Log.Info("keys loaded", "file", id.name, "keys", len(known.value.Keys), "ignored", known.value.Ignored)
		if faulty := known.value.Faulty; len(faulty) > 0 {
			k.source.Log.Warn("keys of a file are at fault and not used; the others are", "file", id.name, "keys", faulty)
		}
	}
	return changed
}

// dropKeyFile takes away the keys of a file that is not there.
func (k *keyring) dropKeyFile(id keyFile) (changed bool) {
	if !k.absent[id] {
		k.source.Log.Warn("no keys: a key file is not there", "file", id.name)
	}
	_, had := k.files[id]
	k.absent[id] = true
	delete(k.files, id)
	return had
}

// pollRemote takes the remote keys as they are known now.
func (k *keyring) pollRemote(providers []gateapi.Provider) (changed bool) {
	now := map[string]fetched{}
	for _, provider := range providers {
		if provider.Keys.Remote == nil {
			continue
		}
		set, old := fetched{RemoteSet: k.source.Remote(provider), at: k.source.Now()}, k.remote[provider.Name]
		if set.Revision == old.Revision {
			set = old
		}
		changed = changed || set.Revision != old.Revision
		now[provider.Name] = set
	}
	k.remote = now
	return changed
}

// of gives a provider's keys and the time when the newest of them were loaded.
func (k *keyring) of(provider gateapi.Provider) (set []keys.Public, at time.Time) {
	if provider.Keys.Remote != nil {
		known := k.remote[provider.Name]
		return known.Keys, known.at
	}
	for _, id := range keyFiles(provider) {
		known := k.files[id]
		if known == nil || len(known.value.Keys) == 0 {
			continue
		}
		set = append(set, known.value.Keys...)
		if known.loaded.After(at) {
			at = known.loaded
		}
	}
	return set, at
}

// faulty names what is at fault in the files of a provider, behind the name of the file.
func (k *keyring) faulty(provider gateapi.Provider) []string {
	var all []string
	for _, id := range keyFiles(provider) {
		if known := k.files[id]; known != nil {
			for _, fault := range known.value.Faulty {
				all = append(all, id.name+": "+fault)
			}
		}
	}
	return all
}

func (f keyFile) parse(data []byte) (keys.Set, error) {
	switch f.format {
	case gateapi.FormatPEM:
		return keys.ParsePEM(data)
	case gateapi.FormatSharedSecret:
		return keys.ParseSharedSecret(data)
	default:
		return keys.ParsePublic(data)
	}
}
