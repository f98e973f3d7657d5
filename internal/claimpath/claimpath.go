// Package claimpath names claims of a token, also those inside other claims, and compares their values.
//
// A name is that of a claim as it is spelled, dots and colons included: "client_id", "https://example.com/roles",
// "kubernetes.io". One that begins with "/" is a JSON Pointer (RFC 6901) through objects: "/realm_access/roles" is the
// member "roles" of the claim "realm_access". In a pointer "~1" stands for "/" and "~0" for "~", so a claim whose own name
// begins with "/" is reached by "/~1name". There is no way into a list: its elements have no names.
package claimpath

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxSteps bounds a path. Tokens are not nested deeper than 32 levels.
const maxSteps = 16

// Path leads to a claim: the names of the members on the way, at least one. Its zero value leads nowhere.
type Path []string

// nested are claims that are objects wherever they are defined, so that a name with a dot behind them is no claim's: the
// two of Keycloak, RFC 8693 section 4.1, RFC 7800 section 3.1, OpenID Connect Core section 5.1, and Kubernetes.
var nested = []string{"realm_access.", "resource_access.", "act.", "may_act.", "cnf.", "address.", "kubernetes.io."}

// Parse reads a name. The error says what to write in its place.
func Parse(name string) (Path, error) {
	if name == "" {
		return nil, errors.New("a name is needed")
	}
	if prefix := slices.IndexFunc(nested, func(object string) bool { return strings.HasPrefix(name, object) }); prefix >= 0 {
		object := strings.TrimSuffix(nested[prefix], ".")
		rest := strings.ReplaceAll(name[len(object)+1:], ".", "/")
		return nil, fmt.Errorf("no token has a claim %q: what is inside of %s is named by a path, such as %q", name, object, "/"+object+"/"+rest)
	}
	if name[0] != '/' {
		return Path{name}, nil
	}
	steps := strings.Split(name[1:], "/")
	if len(steps) > maxSteps {
		return nil, fmt.Errorf("%q has more than %d steps", name, maxSteps)
	}
	for i, step := range steps {
		if step == "" {
			return nil, fmt.Errorf("%q has an empty step", name)
		}
		plain := strings.NewReplacer("~0", "", "~1", "").Replace(step)
		if strings.Contains(plain, "~") {
			return nil, fmt.Errorf(`%q: write "~0" for "~", and "~1" for "/" in a name (RFC 6901 section 3)`, name)
		}
		steps[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
	}
	return steps, nil
}

// MustParse is Parse for names that were checked; any other gives a path that leads nowhere.
func MustParse(name string) Path {
	path, err := Parse(name)
	if err != nil {
		return nil
	}
	return path
}

// In returns the value that the path leads to, and whether it is there.
func (p Path) In(claims map[string]any) (value any, present bool) {
	if len(p) == 0 {
		return nil, false
	}
	var at any = claims
	for _, step := range p {
		object, isObject := at.(map[string]any)
		if !isObject {
			return nil, false
		}
		if at, present = object[step]; !present {
			return nil, false
		}
	}
	return at, true
}

// Set puts a value where the path leads, and makes the objects on the way; a nil value removes what is there. Objects
// that were there are changed; a value on the way that is no object is replaced.
func (p Path) Set(claims map[string]any, value any) {
	if len(p) == 0 {
		return
	}
	at := claims
	for _, step := range p[:len(p)-1] {
		object, isObject := at[step].(map[string]any)
		if !isObject {
			if value == nil {
				return
			}
			object = map[string]any{}
			at[step] = object
		}
		at = object
	}
	last := p[len(p)-1]
	if at[last] = value; value == nil {
		delete(at, last)
	}
}
