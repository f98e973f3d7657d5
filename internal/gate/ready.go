package gate

import (
	"errors"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/selftest"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/certificate"
)

// What /readyz says to anybody. The details are in the log and in State.
var (
	errNoSecret      = errors.New("sessions cannot be bound: the gate's secret is missing or not 32 bytes long")
	errNoKeys        = errors.New("no keys are loaded")
	errFetching      = errors.New("keys of a provider are being fetched for the first time")
	errNotTried      = errors.New("the self-test has not passed")
	errNoRevocations = errors.New("the list of revocations cannot be read")
)

// ready tells why the gate should get no traffic yet. Keys of one provider are enough: that another's cannot be fetched is no
// reason to keep everybody out. It waits until each has been tried once, so that clients of all are served where that can be.
func (g *Gate) ready() error {
	if g.certificate != nil && g.certificate.Leaf() == nil {
		return certificate.ErrNone
	}
	if !g.store.Current().HasKeys() {
		return errNoKeys
	}
	if g.firstFetchUnderWay() {
		return errFetching
	}
	if g.store.Current().RevocationsUnknown {
		return errNoRevocations
	}
	if err := g.canBind(); err != nil {
		return err
	}
	if g.selfTestVerdict() != selftest.Passed {
		return errNotTried
	}
	if err := g.listening.Check(); err != nil {
		return err
	}
	return g.bareServer.Hold()
}

// canBind tells why sessions cannot be bound to their callers although they must be.
func (g *Gate) canBind() error {
	if g.store.Current().Config.BindsSessions() && g.secrets.Current().Sessions == nil {
		return errNoSecret
	}
	return nil
}

// firstFetchUnderWay reports whether the keys of a provider have yet to come or to fail for the first time. Once none have,
// it is false for ever: a provider that is added to the configuration later takes no pod out of service.
func (g *Gate) firstFetchUnderWay() bool {
	if g.fetchedOnce.Load() {
		return false
	}
	for _, status := range g.remote.Status() {
		if status.LastGood.IsZero() && status.LastError == "" {
			return true
		}
	}
	g.fetchedOnce.Store(true)
	return false
}
