package serverprobe

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// Defaults of flags.
const (
	defaultTimeout   = 5 * time.Second
	defaultClockSkew = 30 * time.Second
	defaultLifetime  = time.Minute
	defaultSubject   = "gatehouse-probe"
)

// What --gate says of the answers.
const (
	gateAuto = "auto"
	gateYes  = "yes"
	gateNo   = "no"
)

// What --tier says of how much is asked.
const (
	tierFull  = "full"
	tierQuick = "beat"
)

// What --key-format says of the key file.
const (
	keyAuto   = "auto"
	keySecret = "secret"
)

// options are the flags of probe, and where it reads from.
type options struct {
	readFile func(string) ([]byte, error)
	getenv   func(string) string
	stdin    io.Reader
	// isSet tells that a flag was given.
	isSet func(string) bool

	key, keyFormat, algorithm, kid             string
	issuer, audience, subject, scope, typ      string
	claims, identity                           []string
	lifetime, maxLifetime                      time.Duration
	bare                                       bool
	tokenFile, tokenEnv                        string
	publicKey                                  string
	retiredKeys, requiredScopes, forbiddenTool []string

	gate, tier, ca     string
	seed               uint64
	timeout, clockSkew time.Duration
	outputs            []string
}

func (o *options) addFlags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&o.key, "key", "", "`FILE` with the issuer's signing key; - is standard input")
	flags.StringVar(&o.keyFormat, "key-format", keyAuto, "auto (PEM, JWK or JWK Set) or secret (the bytes of the file are the key)")
	flags.StringVar(&o.algorithm, "algorithm", "", "`ALG` of the signatures, such as RS256 (default: the file's, else the most usual of the key)")
	flags.StringVar(&o.kid, "kid", "", `"kid" of the tokens; of a JWK Set, the key to use (default: the file's, the first)`)
	flags.StringVar(&o.issuer, "issuer", "", `"iss" of a good token`)
	flags.StringVar(&o.audience, "audience", "", `"aud" of a good token`)
	flags.StringVar(&o.subject, "subject", defaultSubject, `"sub" and "client_id" of a good token`)
	flags.StringVar(&o.scope, "scope", "", `"scope" of a good token, separated by spaces`)
	flags.StringArrayVar(&o.claims, "claim", nil, "`NAME=JSON`: a further claim, or another value of one; null leaves it out (repeatable)")
	flags.StringArrayVar(&o.identity, "identity-claim", nil, "`NAME` of a claim that says whose a token is, and that every token must have (repeatable; default: sub)")
	flags.StringVar(&o.typ, "type", token.TypeAccessToken, `"typ" of a good token; - leaves it out`)
	flags.DurationVar(&o.lifetime, "lifetime", defaultLifetime, "how long a good token lives")
	flags.BoolVar(&o.bare, "bare", false, `no claims but "exp" and those of flags: no "iat", no "jti", no default subject`)
	flags.StringVar(&o.tokenFile, "token-file", "", "`FILE` with a good token, in place of --key; - is standard input")
	flags.StringVar(&o.tokenEnv, "token-env", "", "`NAME` of the environment variable with a good token, likewise")
	flags.StringVar(&o.publicKey, "public-key", "", "`FILE` with public keys of the issuer (PEM or JWK Set): forge tokens in their names, too")
	flags.StringArrayVar(&o.retiredKeys, "retired-key", nil, "`FILE` with a signing key that is no longer in force: its tokens must be refused (repeatable)")
	flags.StringArrayVar(&o.requiredScopes, "required-scope", nil, "`SCOPE` without which every token must be refused (repeatable)")
	flags.StringArrayVar(&o.forbiddenTool, "forbidden-tool", nil, "`TOOL` that the good token must not be able to call; it is called if it can (repeatable)")
	flags.DurationVar(&o.maxLifetime, "max-token-lifetime", 0, "tokens that live longer must be refused (default: not asked)")
	flags.StringVar(&o.gate, "gate", gateAuto, "hold the answers against what Gatehouse's own gate promises: yes, no (401 and 403 are refusals), "+
		"or auto (yes if the answer to a first request has the header Gatehouse-Reason)")
	flags.StringVar(&o.tier, "tier", tierFull, "full, or beat (the few cases that the operator asks every interval)")
	flags.Uint64Var(&o.seed, "seed", 0, "make the choices of an earlier check again (default: draw one)")
	flags.DurationVar(&o.timeout, "timeout", defaultTimeout, "time limit of each case")
	flags.DurationVar(&o.clockSkew, "clock-skew", defaultClockSkew, "leeway on times that the server grants; clocks that differ by more prove nothing")
	flags.StringVar(&o.ca, "ca", "", "`FILE` with the certificates (PEM) to trust for https (default: the system's)")
	flags.StringArrayVarP(&o.outputs, "output", "o", []string{cli.FormatTable}, "`FORM[=FILE]`: table, json, yaml or junit, to standard output or a file (repeatable)")
}

func (o *options) hasCredential() bool {
	return o.key != "" || o.tokenFile != "" || o.tokenEnv != ""
}

func (o *options) parseOutputs() ([]output, error) {
	var all []output
	for _, text := range o.outputs {
		format, file, named := strings.Cut(text, "=")
		if named && file == "" {
			return nil, fmt.Errorf("--output %q: the name of the file is missing", text)
		}
		parsed, err := newOutput(format, file)
		if err != nil {
			return nil, err
		}
		all = append(all, parsed)
	}
	return all, nil
}
