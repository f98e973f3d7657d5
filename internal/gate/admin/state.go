package admin

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream/bareserver"
)

// State is what a gate says of itself to its operator. It holds no secret.
type State struct {
	// Instance is new with every start of the gate's process.
	Instance string `json:"instance"`
	PodUID   string `json:"podUID"`
	Version  string `json:"version"`
	// ConfigSHA256 is the digest, in hex, of the configuration file in force.
	ConfigSHA256 string `json:"configSHA256"`
	// Keys are the ids ("kid") of the keys in force, by provider; a provider without keys has an empty list.
	Keys map[string][]string `json:"keys"`
	// Fingerprints are those of the Keys, one for each at its place, made with the secret that is SecretIDs.Current. Gates of
	// older releases have none, and neither has one without a secret.
	Fingerprints map[string][]string `json:"fingerprints,omitempty"`
	// FaultyKeys names the keys that are at fault and not used, each with the reason, by provider. A provider without any
	// is not there. Of each at most 20 are named.
	FaultyKeys map[string][]string `json:"faultyKeys,omitempty"`
	// Remote tells of the providers whose keys the gate fetches itself.
	Remote map[string]RemoteKeys `json:"remote,omitempty"`
	// ProbeKey is the id of the probe key in force; empty if there is none. It is not among Keys: a provider that has no
	// other has no keys.
	ProbeKey string `json:"probeKey,omitempty"`
	// Fence tells that callers whose subject is reserved for probes are kept to what a probe needs. Gates of older
	// releases have none.
	Fence bool `json:"fence,omitempty"`
	// KeysLoaded is when they were read or fetched, by provider: the newest of them. A provider without keys is not there.
	KeysLoaded map[string]time.Time `json:"keysLoaded,omitempty"`
	// RevokedSHA256 is the digest, in hex, of the list of revocations in force; empty if there is none.
	RevokedSHA256 string `json:"revokedSHA256,omitempty"`
	// Secrets are the generations of the gate's secret that are loaded. Gates of older releases do not say so.
	Secrets SecretIDs `json:"secrets,omitzero"`
	// Terminating: the gate was told that its pod is ending. Gates of older releases do not say so.
	Terminating bool `json:"terminating,omitempty"`
	// SelfTest is "passed", "pending", or what the gate found wrong with itself.
	SelfTest string `json:"selfTest"`
	// Listeners are the sockets of the pod that others could reach and that are not the gate's; nil if the gate could
	// not find out, empty if there are none.
	Listeners []Listener `json:"listeners"`
	// ServerAbsence says what listens in the pod, if nothing does where the server must; empty if something does, or if
	// that is not certain. Only a refused connection counts.
	ServerAbsence string `json:"serverAbsence,omitempty"`
	// ServerListeners are what listens in the pod besides the gate, where ServerAbsence says that nothing does where the server
	// must; at most 8. Gates of older releases do not list them.
	ServerListeners []Listener `json:"serverListeners,omitempty"`
	// CanaryPort is where the gate takes connections only to be found by whoever no policy keeps away; 0 if it does not.
	CanaryPort int32 `json:"canaryPort,omitempty"`
	// BareServer is what the server does without the gate.
	BareServer bareserver.Result `json:"bareServer"`
	// Time is the gate's clock.
	Time time.Time `json:"time"`
	// TLS: clients are served over TLS. A gate that serves them so without a certificate refuses every connection.
	TLS bool `json:"tls,omitempty"`
	// CertificateSHA256 is the digest, in hex, of the certificate that clients are shown, as it is sent (DER): whoever
	// trusts this State knows the gate by it, whatever names are in it. Empty without TLS, or without one.
	CertificateSHA256 string `json:"certificateSHA256,omitempty"`
	// CertificateExpires is when it does, and CertificateNotBefore when it became valid. Gates of older releases tell the
	// first alone.
	CertificateExpires   time.Time `json:"certificateExpires,omitzero"`
	CertificateNotBefore time.Time `json:"certificateNotBefore,omitzero"`
	// LastReloadError says why the mounted files are not in force as they are now; empty if they are.
	LastReloadError string `json:"lastReloadError,omitempty"`
	// ConfigSchema names the schema of the configuration file, as its name does: "authproxy.v2".
	ConfigSchema string `json:"configSchema"`
	// UptimeSeconds is since the start of the process.
	UptimeSeconds int64 `json:"uptimeSeconds"`
	// MemoryLimitBytes is what the process tries to stay below; 0 is no limit.
	MemoryLimitBytes int64 `json:"memoryLimitBytes"`
	// OpenStreams are those of server-sent events.
	OpenStreams int `json:"openStreams"`
	// LastAccepted is when a token of each provider last let a client through to the server, since the start; a
	// provider without any is not there. The prober's requests do not count here, nor in what follows.
	LastAccepted map[string]time.Time `json:"lastAccepted"`
	// Refused counts the answers that the gate gave to clients itself since the start, by reason.
	Refused map[string]int64 `json:"refused"`
	// Refusals tell of clients that were not let through although the provider of their token is configured, by that
	// provider. It is what the token says of itself: anybody can make one.
	Refusals map[string]Refusals `json:"refusals,omitempty"`
}

// Refusals tell how a provider's tokens were refused.
type Refusals struct {
	// Since is when the first was refused after the last that was let through, or since the start; zero if the last was
	// let through. Last is the last refusal.
	Since time.Time `json:"since,omitzero"`
	Last  time.Time `json:"last"`
	// Reasons count them since the start.
	Reasons map[string]int64 `json:"reasons"`
	// Details say by reason what the gate compared for the first of them after Since. They hold no value of a claim.
	// Gates of older releases do not tell them.
	Details map[string]string `json:"details,omitempty"`
}

// RemoteKeys tells how the fetching of a provider's keys goes.
type RemoteKeys struct {
	// LastGood is when the issuer last sent or confirmed them; zero: never.
	LastGood time.Time `json:"lastGood,omitzero"`
	// MaxStaleSeconds is how long after LastGood they are used.
	MaxStaleSeconds int32 `json:"maxStaleSeconds,omitempty"`
	// LastError is one line on the last fetch; empty if it was good.
	LastError string `json:"lastError,omitempty"`
}

// StateSource gives the parts of /state at the moment of a request.
type StateSource struct {
	// Keys gives the keys of all generations of the secret: while it turns over, the operator may be ahead of the gate, or
	// behind. Without any, because no secret is mounted, /state is a 404.
	Keys   func() []Key
	PodUID string
	State  func() State
	Now    func() time.Time
}

// StateHandler serves State under a proof by its reader, authenticated for that reader. Whoever has no proof learns
// nothing, not even that there is something: 404.
func StateHandler(source StateSource) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, nonce, err := source.check(r.Header.Get(ProofHeader))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		body, err := json.Marshal(source.State())
		if err != nil {
			http.Error(w, "cannot encode the state", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set(ProofHeader, key.signAnswer(source.PodUID, nonce, body))
		// A reader that has gone cannot be told.
		_, _ = w.Write(body)
	})
}

// check returns the key that a proof was made with, and its nonce.
func (s StateSource) check(proof string) (key Key, nonce string, err error) {
	for _, key := range s.Keys() {
		if nonce, err := key.checkRequest(proof, s.PodUID, s.Now()); err == nil {
			return key, nonce, nil
		}
	}
	return Key{}, "", errProof
}
