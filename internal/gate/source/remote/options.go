package remote

import (
	"crypto/x509"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Options are what Fetchers share. The zero value of each field is its default.
type Options struct {
	// KeysDir holds RemoteKeys.CAFile; the default is gateapi.KeysDir.
	KeysDir string
	// Now is the clock that sets grow stale by; the default is time.Now.
	Now func() time.Time
	// Random spreads fetches; it gives numbers within [0, 1). The default is math/rand's.
	Random func() float64
	// Judge refuses addresses before they are connected to; the default is JudgeAddress. No configuration reaches it.
	Judge func(netip.Addr) error
	// Resolver looks names up; the default is the system's.
	Resolver *net.Resolver
	// SystemRoots are trusted where a provider has no CAFile; the default is x509.SystemCertPool.
	SystemRoots func() (*x509.CertPool, error)
	// Log gets a line per change; the default is to discard them.
	Log *slog.Logger
	// Changed is called after each fetch that changed a set, before anybody in Want is told.
	Changed func()
	// Fetched is called after each fetch.
	Fetched func(provider string, result Result)
}

func (o Options) withDefaults() Options {
	if o.KeysDir == "" {
		o.KeysDir = gateapi.KeysDir
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Judge == nil {
		o.Judge = JudgeAddress
	}
	if o.SystemRoots == nil {
		o.SystemRoots = x509.SystemCertPool
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Fetched == nil {
		o.Fetched = func(string, Result) {}
	}
	return o
}

// Status is what is known of a provider's set.
type Status struct {
	Provider string
	// LastGood is when the issuer was last asked with success; zero: never.
	LastGood time.Time
	// LastError is one line on the last fetch; empty if it was good. It has no query and no user of any URL.
	LastError string
	// KeyIDs are those in force.
	KeyIDs []string
	// Faulty names the keys of the set that are at fault and not used, each with the reason.
	Faulty []string
}
