package gatestate

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/turnover"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func generated(t *testing.T, algorithm keys.Algorithm) keys.Public {
	t.Helper()
	key, err := keys.Generate(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return key.Public()
}

// A gate of a server with a provider of each type, and what it may say of itself.
func TestDifferencesAreExact(t *testing.T) {
	set, err := rotation.New(keys.EdDSA, "", noon.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	gateSecret := []byte("0123456789abcdef0123456789abcdef")
	id, err := admin.SecretID(gateSecret)
	if err != nil {
		t.Fatal(err)
	}
	prints, err := admin.NewFingerprinter(gateSecret)
	if err != nil {
		t.Fatal(err)
	}
	partner, foreign, cluster := generated(t, keys.ES256), generated(t, keys.ES256), generated(t, keys.RS256)
	shared := keys.Public{ID: "shared", Anonymous: true, Algorithm: keys.HS256, Key: []byte("a shared secret that people made")}
	sibling := partner // by the same name, for another algorithm
	sibling.Algorithm, sibling.Key = keys.EdDSA, generated(t, keys.EdDSA).Key

	server := &v1alpha1.MCPServer{}
	server.Name, server.UID = "x", "uid"
	secret := func(name string) v1alpha1.ProviderKeys {
		return v1alpha1.ProviderKeys{Type: v1alpha1.KeysSecret, Secret: &v1alpha1.SecretKeys{Name: name, Keys: []string{"k"}}}
	}
	server.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{
		{Name: "managed", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysManaged}}, {Name: "partner", Keys: secret("a")}, {Name: "shared", Keys: secret("b")},
		{Name: "cluster", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysCluster}}, {Name: "corp", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysRemote}},
	}}
	var publications publication.Store
	managed := set.Published()[0].Public()
	publications.Offer(server, publication.Version{
		Config: corev1.ConfigMap{Data: map[string]string{"authproxy.v2.json": "{}"}},
		Keys:   map[string][]keys.Public{"managed": {managed}, "partner": {partner}, "shared": {shared}, "cluster": {cluster}},
	}, true)
	publications.Settle(server, noon.Add(-time.Hour))
	must := Expected{
		Managed: set, Brought: map[string][]keys.Public{"partner": {partner, sibling}, "shared": {shared}},
		Secrets: turnover.Set{Current: turnover.Generation{ID: id, Secret: gateSecret}, Phase: turnover.Resting},
	}
	says := func(change map[string][]keys.Public) admin.State {
		all := map[string][]keys.Public{"managed": {managed}, "partner": {partner}, "shared": {shared}, "cluster": {cluster}, "corp": {foreign}}
		out := admin.State{Keys: map[string][]string{}, Fingerprints: map[string][]string{}, Secrets: admin.SecretIDs{Current: id}}
		for provider, held := range all {
			if other, found := change[provider]; found {
				held = other
			}
			for _, key := range held {
				fingerprint, err := prints.Of(provider, key)
				if err != nil {
					t.Fatal(err)
				}
				out.Keys[provider] = append(out.Keys[provider], key.ID)
				out.Fingerprints[provider] = append(out.Fingerprints[provider], fingerprint)
			}
		}
		return out
	}
	named := func(key keys.Public, id string) keys.Public {
		key.ID, key.Anonymous = id, false
		return key
	}
	guess := shared
	guess.Key = []byte("a shared secret that somebody made")
	older := says(map[string][]keys.Public{"partner": {foreign}})
	older.Fingerprints = nil
	for name, c := range map[string]struct {
		said admin.State
		want []string
	}{
		"what is published":                              {says(nil), nil},
		"fewer keys":                                     {says(map[string][]keys.Public{"partner": {}, "managed": {}}), nil},
		"a key that users have just brought":             {says(map[string][]keys.Public{"partner": {partner, sibling}}), nil},
		"one key more":                                   {says(map[string][]keys.Public{"managed": {managed, foreign}}), []string{"key set of provider managed"}},
		"another key by the name of ours":                {says(map[string][]keys.Public{"managed": {named(foreign, managed.ID)}}), []string{"key set of provider managed"}},
		"our key by another name":                        {says(map[string][]keys.Public{"managed": {named(managed, "x")}}), []string{"key set of provider managed"}},
		"one brought key more":                           {says(map[string][]keys.Public{"partner": {partner, foreign}}), []string{"key set of provider partner"}},
		"a key of another provider":                      {says(map[string][]keys.Public{"partner": {partner, cluster}}), []string{"key set of provider partner"}},
		"another shared secret":                          {says(map[string][]keys.Public{"shared": {guess}}), []string{"key set of provider shared"}},
		"a foreign key of the cluster":                   {says(map[string][]keys.Public{"cluster": {cluster, foreign}}), []string{"key set of provider cluster"}},
		"keys that the gate fetches":                     {says(map[string][]keys.Public{"corp": {foreign, cluster}}), nil},
		"a gate that does not tell, of a release before": {older, nil},
		"two": {says(map[string][]keys.Public{"managed": {foreign}, "cluster": {foreign}}),
			[]string{"key set of provider cluster", "key set of provider managed"}},
	} {
		c.said.ConfigSchema, c.said.ConfigSHA256 = "authproxy.v2", Digest(corev1.ConfigMap{Data: map[string]string{"authproxy.v2.json": "{}"}}, corev1.Pod{}, "")
		var got []string
		for _, found := range Differences(publications.Of(server), server, corev1.Pod{}, c.said, must, noon) {
			got = append(got, found.part)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// A pod of an earlier template may keep its configuration, which is published for it still, and keys of a Secret that the spec
// names no more.
func TestPodsOfAnEarlierTemplateHaveWhatIsPublishedForThem(t *testing.T) {
	gateSecret := []byte("0123456789abcdef0123456789abcdef")
	id, err := admin.SecretID(gateSecret)
	if err != nil {
		t.Fatal(err)
	}
	prints, err := admin.NewFingerprinter(gateSecret)
	if err != nil {
		t.Fatal(err)
	}
	set, err := rotation.New(keys.EdDSA, "", noon.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	server, earlier := &v1alpha1.MCPServer{}, &v1alpha1.MCPServer{}
	server.Namespace, server.Name, server.UID = "team", "x", "uid"
	server.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{{Name: "main", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysManaged}}}}
	server.DeepCopyInto(earlier)
	earlier.Spec.Auth.Providers[0] = v1alpha1.Provider{Name: "main", Issuer: "https://corp.example.com", Audiences: []string{"x"},
		Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysSecret, Secret: &v1alpha1.SecretKeys{Name: "a", Keys: []string{"k"}}}}
	published := publication.Version{Keys: map[string][]keys.Public{"main": {set.Published()[0].Public()}}}
	published.Config.Data = map[string]string{}
	for _, s := range []*v1alpha1.MCPServer{server, earlier} {
		made, err := gateconfig.ConfigMap(s, desired.Inputs{ClusterDomain: "cluster.local", Keys: map[string][]keys.Private{"main": set.Published()}})
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(published.Config.Data, made.Data)
	}
	var publications publication.Store
	publications.Offer(server, published, true)
	publications.Settle(server, noon.Add(-time.Hour))
	key, err := gateconfig.Key(earlier)
	if err != nil {
		t.Fatal(err)
	}
	fingerprint, err := prints.Of("main", generated(t, keys.ES256))
	if err != nil {
		t.Fatal(err)
	}
	held := corev1.Pod{Spec: corev1.PodSpec{Volumes: []corev1.Volume{{Name: "gatehouse-config", VolumeSource: corev1.VolumeSource{
		ConfigMap: &corev1.ConfigMapVolumeSource{Items: []corev1.KeyToPath{{Key: key, Path: gateapi.ConfigFile}}}}}}}}
	must := Expected{Managed: set, Secrets: turnover.Set{Current: turnover.Generation{ID: id, Secret: gateSecret}, Phase: turnover.Resting}}
	for name, c := range map[string]struct {
		pod    corev1.Pod
		config string
		want   []string
	}{
		"one that keeps its configuration":                  {held, key, nil},
		"one that keeps it, with that of the spec":          {held, gateapi.ConfigFile, []string{"configuration"}},
		"one of the spec's template":                        {corev1.Pod{}, gateapi.ConfigFile, []string{"key set of provider main"}},
		"one of the spec's template, with the earlier file": {corev1.Pod{}, key, []string{"key set of provider main", "configuration"}},
	} {
		sum := sha256.Sum256([]byte(published.Config.Data[c.config]))
		said := admin.State{
			Secrets: admin.SecretIDs{Current: id}, Keys: map[string][]string{"main": {"his"}}, Fingerprints: map[string][]string{"main": {fingerprint}},
			ConfigSchema: "authproxy.v2", ConfigSHA256: hex.EncodeToString(sum[:]),
		}
		var got []string
		for _, found := range Differences(publications.Of(server), server, c.pod, said, must, noon) {
			got = append(got, found.part)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
