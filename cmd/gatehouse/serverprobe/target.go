package serverprobe

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// target is what the flags say. It reads the files that they name.
func (o *options) target(url string) (probe.Target, error) {
	if err := o.validate(); err != nil {
		return probe.Target{}, err
	}
	provider, err := o.provider()
	if err != nil {
		return probe.Target{}, err
	}
	target := probe.Target{
		URL: url, Providers: []probe.Provider{provider}, Policy: o.policy(), Tier: probe.Full, Exact: o.gate == gateYes,
		Timeout: o.timeout, ClockTolerance: o.clockSkew, Seed: o.seed,
	}
	if o.tier == tierQuick {
		target.Tier = probe.Quick
	}
	if o.ca != "" {
		pem, err := o.readFile(o.ca)
		if err != nil {
			return probe.Target{}, fmt.Errorf("--ca: %w", err)
		}
		target.RootCAs = x509.NewCertPool()
		if !target.RootCAs.AppendCertsFromPEM(pem) {
			return probe.Target{}, fmt.Errorf("--ca %s: there is no certificate in it: it must be PEM", o.ca)
		}
	}
	return target, nil
}

// ofKey are the flags that say what a token to be minted looks like.
var ofKey = []string{
	"key-format", "algorithm", "kid", "issuer", "audience", "subject", "scope", "claim", "identity-claim", "type", "lifetime", "bare",
	"retired-key", "required-scope", "max-token-lifetime",
}

func (o *options) validate() error {
	for _, flag := range []struct {
		name, value string
		allowed     []string
	}{
		{"gate", o.gate, []string{gateAuto, gateYes, gateNo}},
		{"tier", o.tier, []string{tierFull, tierQuick}},
		{"key-format", o.keyFormat, []string{keyAuto, keySecret}},
	} {
		if !slices.Contains(flag.allowed, flag.value) {
			return fmt.Errorf("--%s %q: use %s", flag.name, flag.value, strings.Join(flag.allowed, " or "))
		}
	}
	switch {
	case o.timeout <= 0:
		return fmt.Errorf("--timeout %s: it must be positive", o.timeout)
	case o.lifetime < time.Second:
		return fmt.Errorf("--lifetime %s: give one second at least", o.lifetime)
	case o.maxLifetime < 0:
		return fmt.Errorf("--max-token-lifetime %s: it must be positive", o.maxLifetime)
	case o.clockSkew < 0:
		return fmt.Errorf("--clock-skew %s: it must be positive", o.clockSkew)
	default:
		return o.validateCredential()
	}
}

// validateCredential looks at what goes together.
func (o *options) validateCredential() error {
	given := 0
	for _, value := range []string{o.key, o.tokenFile, o.tokenEnv} {
		if value != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return errors.New("give one of --key, --token-file and --token-env")
	case given == 0 && o.gate == gateYes:
		return errors.New("--gate=yes needs a good token (--key, --token-file or --token-env): what the gate says of a bad token " +
			"depends on what is good")
	case given == 0 && (o.publicKey != "" || len(o.forbiddenTool) > 0):
		return errors.New("--public-key and --forbidden-tool need a good token: --key, --token-file or --token-env")
	case o.key != "":
		return nil
	}
	for _, name := range ofKey {
		if o.isSet(name) {
			return fmt.Errorf("--%s needs --key: it says what the tokens are like that are made", name)
		}
	}
	return nil
}

func (o *options) policy() probe.Policy {
	out := probe.Policy{RequiredScopes: o.requiredScopes}
	for _, tool := range o.forbiddenTool {
		out.Forbidden = append(out.Forbidden, probe.Call{Method: probe.MethodCallTool, Name: tool})
	}
	return out
}
