package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/exactjson"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// fetched is what a fetch brought.
type fetched struct {
	unchanged  bool
	keys       []keys.Public // those that the provider may use, at least one; none if unchanged
	ignored    []string      // what else was in the set, for the log
	faulty     []string      // which of its keys are at fault, for the log and the state
	validators validators
	fresh      time.Duration // see freshness
}

// downloader fetches for one Fetcher, one fetch at a time.
type downloader struct {
	options Options
	form    int // of wellKnown, the one that worked last
}

func (d *downloader) download(ctx context.Context, provider gateapi.Provider, have validators) (fetched, error) {
	c := newClient(d.options, *provider.Keys.Remote)
	defer c.close()
	where, err := d.whereKeysAre(ctx, c, provider)
	if err != nil {
		return fetched{}, err
	}
	target, err := c.permitted(where)
	if err != nil {
		return fetched{}, err
	}
	got, err := c.get(ctx, target, have)
	if err != nil {
		return fetched{}, err
	}
	out := fetched{unchanged: got.unchanged, validators: got.validators, fresh: got.fresh}
	if got.unchanged {
		return out, nil
	}
	set, err := keys.ParsePublic(got.body)
	if err != nil {
		return fetched{}, failed(BadDocument, "%s: %w", shown(target), err)
	}
	out.keys, out.ignored, out.faulty = usable(provider, set.Keys), set.Ignored, set.Faulty
	if len(out.keys) == 0 {
		return fetched{}, failed(BadDocument, "%s: no key of the set is for %v", shown(target), provider.Algorithms)
	}
	return out, nil
}

// usable leaves out the keys that can serve no algorithm of the provider.
func usable(provider gateapi.Provider, set []keys.Public) []keys.Public {
	return slices.DeleteFunc(set, func(key keys.Public) bool {
		_, ok := key.Bind(provider.Algorithms)
		return !ok
	})
}

// permitted reads a URL that the gate may ask; what lies behind its name is judged later, by the dialer.
func (c *client) permitted(text string) (*url.URL, error) {
	target, err := url.Parse(text)
	if err != nil {
		return nil, failed(Forbidden, "the address of the key set is no URL")
	}
	if target.Scheme != "https" && (!c.allowHTTP || target.Scheme != "http") {
		return nil, failed(Forbidden, "%s: only https is asked, unless allowHTTP is set", shown(target))
	}
	if target.Hostname() == "" || target.User != nil || target.Fragment != "" {
		return nil, failed(Forbidden, "%s: a URL with a host, and without user and fragment, is needed", shown(target))
	}
	return target, nil
}

func (d *downloader) whereKeysAre(ctx context.Context, c *client, provider gateapi.Provider) (string, error) {
	if provider.Keys.Remote.Discovery {
		return d.discover(ctx, c, provider.Issuer)
	}
	return provider.Keys.Remote.JWKSURI, nil
}

// discover asks the issuer where its keys are. It may publish that in several places; the one that worked last is asked
// first.
func (d *downloader) discover(ctx context.Context, c *client, issuer string) (string, error) {
	base, err := c.permitted(issuer)
	if err != nil {
		return "", err
	}
	var problems []string
	result := BadStatus
	places := wellKnown(base)
	for i := range places {
		form := (d.form + i) % len(places)
		got, err := c.get(ctx, places[form], validators{})
		var where string
		if err == nil {
			where, err = jwksURI(got.body, issuer)
		}
		if err == nil {
			d.form = form
			return where, nil
		}
		if now := resultOf(err); result != BadDocument || now != BadStatus { // A document tells more than that there is none.
			result = now
		}
		problems = append(problems, fmt.Sprintf("%s: %s", places[form].Path, strings.TrimPrefix(err.Error(), shown(places[form])+": ")))
		if result != BadStatus && result != BadDocument {
			break // The next place is on the same host.
		}
	}
	return "", failed(result, "%s: discovery: %s", shown(base), strings.Join(problems, "; "))
}

// wellKnown are the places where an issuer may publish its metadata: OpenID Connect Discovery 1.0 section 4, and
// RFC 8414 section 3 and section 5 with the well-known part before the issuer's path.
func wellKnown(issuer *url.URL) []*url.URL {
	at := func(path string) *url.URL {
		return &url.URL{Scheme: issuer.Scheme, Host: issuer.Host, Path: path}
	}
	path := strings.TrimSuffix(issuer.Path, "/")
	places := []*url.URL{
		at(path + "/.well-known/openid-configuration"),
		at("/.well-known/oauth-authorization-server" + path),
	}
	if path != "" {
		places = append(places, at("/.well-known/openid-configuration"+path))
	}
	return places
}

// otherIssuer says how the issuer of a document differs from the one that was asked.
func otherIssuer(says, asked string) string {
	text := fmt.Sprintf("the document is of another issuer: %.200q, while the provider's is %.200q", says, asked)
	switch {
	case strings.ContainsAny(says, "{}"):
		return text + ": the first is a template, so name each tenant as a provider of its own"
	case strings.TrimSuffix(says, "/") == strings.TrimSuffix(asked, "/"):
		return text + ": they differ in the slash at the end"
	default:
		return text + ": set issuer to the first if its tokens have that"
	}
}

// jwksURI reads issuer metadata. Its "issuer" must be the one that was asked, byte for byte (RFC 8414 section 3.3):
// else one tenant of a host could speak for another.
func jwksURI(document []byte, issuer string) (string, error) {
	members, err := exactjson.Members(document)
	if err != nil {
		return "", failed(BadDocument, "the issuer's metadata: %w", err)
	}
	var says, where string
	if json.Unmarshal(members["issuer"], &says) != nil {
		return "", failed(BadDocument, "the document names no issuer")
	}
	if says != issuer {
		return "", failed(BadDocument, "%s", otherIssuer(says, issuer))
	}
	if json.Unmarshal(members["jwks_uri"], &where) != nil || where == "" {
		return "", failed(BadDocument, "the document has no jwks_uri")
	}
	return where, nil
}
