package gateapi

import "github.com/mcp-gatehouse/gatehouse/internal/keys"

// Provider is one issuer of tokens.
type Provider struct {
	// Name is a DNS label, unique in the Config.
	Name string `json:"name"`
	// Issuer is the exact "iss" value. Empty: tokens of this provider carry no "iss"; at most one may be so.
	Issuer string `json:"issuer,omitempty"`
	// Audiences: a token must carry at least one of them in "aud". Only a provider of shared secrets, or one with
	// RequiredClaims, may have none. A token that does carry "aud" is then refused: it is meant for somebody, and that is
	// not us (RFC 7519 section 4.1.3). Tokens of a shared secret are good wherever that secret is known.
	Audiences []string `json:"audiences,omitempty"`
	// Algorithms are the JWS algorithms accepted from this provider.
	Algorithms []keys.Algorithm `json:"algorithms"`
	// ClockSkewSeconds is the leeway on "exp", "nbf" and "iat".
	ClockSkewSeconds int32 `json:"clockSkewSeconds"`
	// MaxTokenLifetimeSeconds bounds "exp" minus "iat"; 0 is no bound.
	MaxTokenLifetimeSeconds int32 `json:"maxTokenLifetimeSeconds,omitempty"`
	// TokenTypes are the "typ" headers accepted, as media types (RFC 7515 section 4.1.9); "" accepts a token without
	// one. Empty: "at+jwt" only (RFC 9068 section 4). Types that mean something else cannot be listed.
	TokenTypes []string `json:"tokenTypes,omitempty"`
	// IdentityClaims are the claims that together say who the caller is; each must be there, a string that is not empty
	// or a number. They are named as package claimpath has it. Empty: "sub".
	IdentityClaims []string `json:"identityClaims,omitempty"`
	// RequiredClaims must all be in a token, each with one of its values. With them Audiences may be empty, for issuers
	// whose access tokens carry no "aud": a claim such as "client_id" says for whom the token is, in its place.
	RequiredClaims []ClaimMatch `json:"requiredClaims,omitempty"`
	// Keys says where the keys come from.
	Keys KeySource `json:"keys,omitzero"`
}

// KeyFormat says how key files are written.
type KeyFormat string

const (
	// FormatJWKS: a JWK Set of public keys (RFC 7517). The default.
	FormatJWKS KeyFormat = "JWKS"
	// FormatPEM: public keys or certificates in PEM.
	FormatPEM KeyFormat = "PEM"
	// FormatSharedSecret: the whole file is one HMAC key.
	FormatSharedSecret KeyFormat = "SharedSecret"
)

// KeySource says where a provider's keys come from: files, or a URL.
type KeySource struct {
	// Format of the Files.
	Format KeyFormat `json:"format,omitempty"`
	// Files are names in KeysDir, at most MaxKeyFiles; keys of all of them verify. Empty, without Remote: KeysFile.
	Files []string `json:"files,omitempty"`
	// Remote fetches the keys; no Files then.
	Remote *RemoteKeys `json:"remote,omitempty"`
}

// MaxKeyFiles bounds KeySource.Files.
const MaxKeyFiles = 4

// RemoteKeys are fetched by the gate. Exactly one of JWKSURI and Discovery says from where.
type RemoteKeys struct {
	// JWKSURI is the https URL of a JWK Set.
	JWKSURI string `json:"jwksURI,omitempty"`
	// Discovery finds that URL at the provider's Issuer (OpenID Connect Discovery, RFC 8414).
	Discovery bool `json:"discovery,omitempty"`
	// AllowHTTP permits http URLs, for issuers in the cluster.
	AllowHTTP bool `json:"allowHTTP,omitempty"`
	// CAFile, in KeysDir, holds certificates in PEM that are trusted in place of the system's.
	CAFile string `json:"caFile,omitempty"`
	// MaxStaleSeconds is how long keys are used after the last good fetch; then there are none. At least 3600.
	MaxStaleSeconds int32 `json:"maxStaleSeconds"`
}

// KeyFiles are the names in KeysDir that the provider's keys are read from; none if they are remote.
func (v Provider) KeyFiles() []string {
	switch {
	case v.Keys.Remote != nil:
		return nil
	case len(v.Keys.Files) == 0:
		return []string{KeysFile(v.Name)}
	default:
		return v.Keys.Files
	}
}
