package serverprobe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// provider is the issuer as far as the flags let the prober play it.
func (o *options) provider() (probe.Provider, error) {
	out := probe.Provider{MaxTokenLifetime: o.maxLifetime}
	var err error
	switch {
	case !o.hasCredential():
		return runner.UnauthenticatedProvider()
	case o.key != "":
		out.Tokens, err = o.template()
	case o.tokenFile != "":
		out.Bearer, err = o.tokenOfFile()
	case o.tokenEnv != "":
		out.Bearer, err = checkToken("--token-env "+o.tokenEnv, o.getenv(o.tokenEnv))
	}
	if err != nil {
		return probe.Provider{}, err
	}
	for _, file := range o.retiredKeys {
		retired, err := o.signingKey("--retired-key", file, keys.Signing{})
		if err != nil {
			return probe.Provider{}, err
		}
		out.Retired = append(out.Retired, retired)
	}
	if o.publicKey != "" {
		if out.Public, err = o.publicKeys(); err != nil {
			return probe.Provider{}, fmt.Errorf("--public-key %s: %w", o.publicKey, err)
		}
	}
	return out, nil
}

func (o *options) template() (token.Template, error) {
	key, err := o.signingKey("--key", o.key, keys.Signing{ID: o.kid, Algorithm: keys.Algorithm(o.algorithm)})
	if err != nil {
		return token.Template{}, err
	}
	out := token.Template{
		Key: key, Type: o.typ, Issuer: o.issuer, Audience: o.audience, Subject: o.subject, Scope: o.scope, Lifetime: o.lifetime,
		Bare: o.bare, Claims: map[string]any{}, Identity: o.identity,
	}
	if o.bare && !o.isSet("subject") {
		out.Subject = ""
	}
	for _, claim := range o.claims {
		name, text, found := strings.Cut(claim, "=")
		if !found || name == "" {
			return token.Template{}, fmt.Errorf("--claim %q: write NAME=JSON", claim)
		}
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var value any
		if decoder.Decode(&value) != nil || decoder.More() {
			return token.Template{}, fmt.Errorf(`--claim %s: %q is not JSON; a text stands in quotes: --claim %s='"text"'`, name, text, name)
		}
		out.Claims[name] = value
	}
	for _, name := range o.identity {
		if !out.Has(name) {
			return token.Template{}, fmt.Errorf("--identity-claim %s: a good token has no such claim: give it one with --claim %s=JSON", name, name)
		}
	}
	return out, nil
}

func (o *options) signingKey(flag, file string, want keys.Signing) (keys.Private, error) {
	data, err := o.read(file)
	if err != nil {
		return keys.Private{}, fmt.Errorf("%s: %w", flag, err)
	}
	parse := keys.ParseSigning
	if o.keyFormat == keySecret {
		parse = keys.ParseSigningSecret
	}
	key, err := parse(data, want)
	if err != nil {
		return keys.Private{}, fmt.Errorf("%s %s: %w", flag, file, withFormat(err))
	}
	return key, nil
}

// withFormat says in the words of this command what to do about a file that is no key in any form.
func withFormat(err error) error {
	if errors.Is(err, keys.ErrNoKeyForm) {
		return fmt.Errorf("%w (--key-format=secret)", err)
	}
	return err
}

func (o *options) publicKeys() ([]keys.Public, error) {
	data, err := o.readFile(o.publicKey)
	if err != nil {
		return nil, err
	}
	parse := keys.ParsePublic
	if bytes.Contains(data, []byte("-----BEGIN")) {
		parse = keys.ParsePEM
	}
	set, err := parse(data)
	return set.Keys, err
}

func (o *options) tokenOfFile() (string, error) {
	data, err := o.read(o.tokenFile)
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	return checkToken("--token-file "+o.tokenFile, string(data))
}

// checkToken takes the white space from around a token. It does not repeat what it refuses.
func checkToken(source, text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", fmt.Errorf("%s: there is no token in it", source)
	case strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' }):
		return "", fmt.Errorf("%s: it holds more than a token: write the token alone, without the word Bearer", source)
	}
	return text, nil
}

// maxInput bounds what is read from standard input.
const maxInput = 1 << 20

func (o *options) read(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(io.LimitReader(o.stdin, maxInput))
	}
	return o.readFile(file)
}
