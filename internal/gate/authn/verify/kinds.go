package verify

import (
	"maps"
	"slices"
	"strings"
)

// Issuers sign tokens of several kinds with one key and often one header "typ": access tokens, ID tokens, refresh tokens,
// logout tokens and others. Only access tokens open anything. A token is told by all that it says of itself, since RFC 8725
// section 3.12 wants the rules for the kinds to exclude each other.

// marks are claims that only other kinds of token have, by what they are the marks of.
var marks = map[string]string{
	// OpenID Connect Core sections 2, 3.3.2.11 and 7; FAPI 1.0 part 2 section 5.1; Native SSO; CIBA section 7.3.
	"at_hash": "an ID token", "c_hash": "an ID token", "s_hash": "an ID token", "ds_hash": "an ID token", "sub_jwk": "an ID token",
	"urn:openid:params:jwt:claim:rt_hash": "an ID token", "urn:openid:params:jwt:claim:auth_req_id": "an ID token",
	// OpenID Connect Back-Channel Logout section 2.4, RFC 8417 section 2.2.
	"events": "a logout or security event token", "toe": "a logout or security event token",
	"token_introspection": "an introspection answer",                                    // RFC 9701 section 5
	"htm":                 "a DPoP proof", "htu": "a DPoP proof", "ath": "a DPoP proof", // RFC 9449 section 4.2
	"vc": "a credential", "vp": "a credential", "_sd_alg": "a credential", // VC Data Model 1.1 section 6.3, RFC 9901
	"redirect_uri": "an authorization request", "code_challenge": "an authorization request", // RFC 9101
}

// statements are claims that state the kind. Of the strict ones only words for access tokens are taken, unless
// RequiredClaims names the claim; of the others, which mean something else to some issuers, only words that name another
// kind are refused.
var statements = []kindStatement{{"typ", true}, {"token_use", true}, {"token_type", true}, {"tty", false}, {"type", false}, {"token_kind", false}, {"use", false}}

type kindStatement struct {
	name   string
	strict bool
}

// accessWords are what issuers write for access tokens, as folded by word.
var accessWords = []string{"bearer", "atjwt", "access", "accesstoken", "at", "urnietfparamsoauthtokentypeaccesstoken"}

// neutralWords say nothing of the kind.
var neutralWords = []string{"jwt", "urnietfparamsoauthtokentypejwt"}

// otherWords name another kind, in any claim that states one.
var otherWords = []string{
	"idtoken", "idtokenjwt", "refresh", "refreshtoken", "rtjwt", "offline", "offlinetoken", "logout", "logoutjwt", "logouttoken",
	"serializedid", "seceventjwt", "dpop", "dpopjwt", "initialaccesstoken", "registrationaccesstoken",
	"urnietfparamsoauthtokentypeidtoken", "urnietfparamsoauthtokentyperefreshtoken",
}

// shortWords name another kind in the strict statements.
var shortWords = []string{"id", "rt"}

// otherKind says by what a token is known to be of another kind than an access token; empty if by nothing.
func (p *provider) otherKind(c tokenClaims, h tokenHeader) string {
	isAccess := h.isAccess()
	for _, statement := range statements {
		value := c.members[statement.name]
		if value == nil { // Some issuers write null for nothing.
			continue
		}
		states, detail := p.stated(value, statement)
		if detail != "" {
			return statement.name + ": " + detail
		}
		isAccess = isAccess || states
	}
	for _, name := range markNames {
		if c.members[name] != nil {
			return name + ": a claim of " + marks[name]
		}
	}
	// Some issuers copy the nonce of the login into access tokens, which say what they are.
	if c.members["nonce"] != nil && !isAccess && !c.isForAnother() {
		return "nonce: a claim of an ID token, and nothing says that this is an access token"
	}
	return ""
}

// isForAnother reports whether a token has scopes, and is for somebody else than the client that it was issued to. An ID
// token is for its client (OpenID Connect Core section 2).
func (c tokenClaims) isForAnother() bool {
	client := c.client()
	return client != "" && len(c.audiences) > 0 && !c.names([]string{client}) && len(c.scopes()) > 0
}

// stated reports whether the value of a statement is a word for access tokens, or says what keeps it from being one.
func (p *provider) stated(value any, by kindStatement) (isAccess bool, detail string) {
	text, ok := value.(string)
	said := word(text)
	switch {
	case !ok && by.strict:
		return false, kindOf(value) + ", not a string"
	case slices.Contains(otherWords, said), by.strict && slices.Contains(shortWords, said):
		return false, "it states another kind of token"
	case !by.strict, slices.Contains(neutralWords, said):
		return false, ""
	case slices.Contains(accessWords, said), p.requires(by.name):
		return true, ""
	default:
		return false, "it states no kind of token that is known; name it in requiredClaims if access tokens have it"
	}
}

// isAccess reports whether the header says that it is an access token's (RFC 9068 section 2.1).
func (h tokenHeader) isAccess() bool {
	text, ok := h.kind.(string)
	return ok && mediaType(text) == "at+jwt"
}

// word folds what differs between issuers: case, and all that is neither a letter nor a digit. "ID_Token" is "idtoken".
func word(text string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			return c
		case 'A' <= c && c <= 'Z':
			return c - 'A' + 'a'
		default:
			return -1
		}
	}, strings.TrimPrefix(strings.ToLower(text), "application/"))
}

// markNames are those of marks, always in one order.
var markNames = slices.Sorted(maps.Keys(marks))
