package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// target is what the flags say. It reads the files that they name.
func (o *probeOptions) target(url string) (probe.Target, error) {
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
	if o.tier == "beat" {
		target.Tier = probe.Beat
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
	"key-format", "algorithm", "kid", "issuer", "audience", "subject", "scope", "claim", "type", "lifetime", "bare",
	"retired-key", "required-scope", "max-token-lifetime",
}

func (o *probeOptions) validate() error {
	given := 0
	for _, value := range []string{o.key, o.tokenFile, o.tokenEnv} {
		if value != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return errors.New("give one of --key, --token-file and --token-env")
	case !slices.Contains([]string{gateAuto, gateYes, gateNo}, o.gate):
		return fmt.Errorf("--gate %q: use auto, yes or no", o.gate)
	case o.gate == gateYes && given == 0:
		return errors.New("--gate=yes needs a good token (--key, --token-file or --token-env): what the gate says of a bad token " +
			"depends on what is good")
	case o.tier != "full" && o.tier != "beat":
		return fmt.Errorf("--tier %q: use full or beat", o.tier)
	case o.keyFormat != keyAuto && o.keyFormat != keySecret:
		return fmt.Errorf("--key-format %q: use auto (PEM, JWK or JWK Set) or secret", o.keyFormat)
	case o.timeout <= 0:
		return fmt.Errorf("--timeout %s: it must be positive", o.timeout)
	case o.lifetime <= 0:
		return fmt.Errorf("--lifetime %s: it must be positive", o.lifetime)
	case given == 0 && (o.publicKey != "" || len(o.forbiddenTool) > 0):
		return errors.New("--public-key and --forbidden-tool need a good token: --key, --token-file or --token-env")
	}
	if o.key != "" {
		return nil
	}
	for _, name := range ofKey {
		if o.isSet(name) {
			return fmt.Errorf("--%s needs --key: it says what the tokens are like that are made", name)
		}
	}
	return nil
}

func (o *probeOptions) policy() probe.Policy {
	out := probe.Policy{RequiredScopes: o.requiredScopes}
	for _, tool := range o.forbiddenTool {
		out.Forbidden = append(out.Forbidden, probe.Call{Method: "tools/call", Name: tool})
	}
	return out
}
