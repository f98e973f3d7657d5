package providers

import "testing"

// nearMiss is a token that is almost one that opens.
type nearMiss struct {
	name    string // as a page has it
	reason  string
	changes []tokenChange
}

func miss(name, reason string, changes ...tokenChange) nearMiss {
	return nearMiss{name, reason, changes}
}

// everywhere are near misses of every sample.
func everywhere(t *testing.T, i *issuer) []nearMiss {
	t.Helper()
	return []nearMiss{
		miss("expired", "expired", expired),
		miss("of another issuer", "wrong_issuer", otherIssuer),
		miss("signed by somebody else", "bad_signature", byAnother(t, i)),
		miss("signed with the public key as a shared secret (HS256)", "unsupported_algorithm", bySecret(t, i)),
		miss("not signed (`alg: none`)", "unsupported_algorithm", unsigned),
	}
}

const (
	otherServer = "https://other.example.com/mcp"
	tenant      = "33333333-cccc-4ccc-8ccc-333333333333"
)

// ofAudience are near misses where the sample has audiences.
var ofAudience = []nearMiss{
	miss("for another server", "wrong_audience", claim("aud", otherServer)),
	miss("without `aud`", "missing_claim", withoutClaim("aud")),
}

// special are the near misses of each sample, besides those of everywhere.
var special = map[string][]nearMiss{
	"keycloak": append(ofAudience,
		miss("for the client itself (no audience mapper)", "wrong_audience", claim("aud", "account")),
		miss("without the scope", "insufficient_scope", claim("scope", "openid profile")),
		miss("refresh token", "wrong_type", claim("typ", "Refresh")),
		miss("offline token", "wrong_type", claim("typ", "Offline")),
		miss("bound to a key (DPoP)", "wrong_type", claim("typ", "DPoP"), claim("cnf", map[string]any{"jkt": "x"})),
	),
	"entra": append(ofAudience,
		miss("of version 1.0", "wrong_issuer", claim("iss", "https://sts.windows.net/11111111-aaaa-4aaa-8aaa-111111111111/"), claim("ver", "1.0")),
		miss("of another tenant", "wrong_issuer", claim("iss", "https://login.microsoftonline.com/"+tenant+"/v2.0"), claim("tid", tenant)),
		miss("for Microsoft Graph", "wrong_audience", claim("aud", "00000003-0000-0000-c000-000000000000")),
		miss("whose `aud` is the Application ID URI", "wrong_audience", claim("aud", "api://22222222-bbbb-4bbb-8bbb-222222222222")),
		miss("of an application, without a scope", "insufficient_scope", withoutClaim("scp"), claim("idtyp", "app")),
		miss("without `oid`", "missing_claim", withoutClaim("oid")),
	),
	"entra-v1": append(ofAudience,
		miss("of version 2.0", "wrong_issuer", claim("iss", "https://login.microsoftonline.com/11111111-aaaa-4aaa-8aaa-111111111111/v2.0")),
		miss("of another tenant", "wrong_issuer", claim("iss", "https://sts.windows.net/"+tenant+"/")),
		miss("of an application, without a scope", "insufficient_scope", withoutClaim("scp")),
	),
	"entra-tenants": append(ofAudience,
		miss("of a third tenant", "wrong_issuer", claim("iss", "https://login.microsoftonline.com/44444444-dddd-4ddd-8ddd-444444444444/v2.0")),
		miss("of an application, without a scope", "insufficient_scope", withoutClaim("scp")),
	),
	"auth0": append(ofAudience,
		miss("for `/userinfo` alone", "wrong_audience", claim("aud", "https://example.eu.auth0.com/userinfo")),
		miss("whose issuer has no slash", "wrong_issuer", claim("iss", "https://example.eu.auth0.com")),
	),
	"okta": append(ofAudience,
		miss("of the org authorization server", "wrong_issuer", claim("iss", "https://example.okta.com"), claim("aud", "https://example.okta.com")),
		miss("of the server `default`", "wrong_issuer", claim("iss", "https://example.okta.com/oauth2/default"), claim("aud", "api://default")),
		miss("without the scope", "insufficient_scope", claim("scp", []string{"openid"})),
	),
	"cognito": {
		miss("of another app client", "wrong_audience", claim("client_id", "2other3client4id5")),
		miss("bound to another server", "wrong_audience", claim("aud", otherServer)),
		miss("of another user pool", "wrong_issuer", claim("iss", "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Other1234")),
		miss("without `client_id`", "missing_claim", withoutClaim("client_id")),
		miss("without the scope", "insufficient_scope", claim("scope", "aws.cognito.signin.user.admin")),
	},
	"cognito-resource": append(ofAudience,
		miss("without `token_use`", "missing_claim", withoutClaim("token_use")),
	),
	"google": append(ofAudience,
		miss("of another service account", "wrong_audience", claim("email", "other@your-project.iam.gserviceaccount.com")),
		miss("without `email` (asked for without `--include-email`)", "missing_claim", withoutClaim("email")),
		miss("whose `iss` has no scheme", "wrong_issuer", claim("iss", "accounts.google.com")),
	),
	"hydra": append(ofAudience,
		miss("with an empty `aud` (no audience asked for)", "missing_claim", claim("aud", []string{})),
		miss("without the scope", "insufficient_scope", claim("scp", []string{})),
	),
	"zitadel": append(ofAudience,
		miss("of another application of the project", "wrong_audience", claim("client_id", "309999999999999999")),
		miss("for another project", "wrong_audience", claim("aud", []string{"302345678901234567", "309999999999999998"})),
	),
	"spire": append(ofAudience,
		miss("of another workload", "forbidden", claim("sub", "spiffe://example.org/ns/agents/sa/other")),
		miss("of another trust domain", "forbidden", claim("sub", "spiffe://other.example/ns/agents/sa/planner")),
		miss("without `iss` (no `jwt_issuer`)", "missing_claim", withoutClaim("iss")),
		miss("that lives for a day", "expired", func(d *draft) { d.Claims["exp"] = d.Claims["iat"].(int64) + 86400 }),
	),
	"github-actions": append(ofAudience,
		miss("of another repository", "wrong_audience", claim("repository_id", "987654321")),
		miss("of another branch", "wrong_audience", claim("ref", "refs/heads/feature")),
		miss("of a pull request", "wrong_audience", claim("event_name", "pull_request"), claim("ref", "refs/pull/7/merge")),
		miss("with the default audience", "wrong_audience", claim("aud", "https://github.com/example")),
		miss("without `repository_id`", "missing_claim", withoutClaim("repository_id")),
	),
	"kubernetes": append(ofAudience,
		miss("for the API server (the one in every pod)", "wrong_audience", claim("aud", []string{clusterIssuer})),
		miss("for another MCPServer", "wrong_audience", claim("aud", []string{"gatehouse:tools/weather"})),
		miss("of another ServiceAccount", "forbidden", claim("sub", "system:serviceaccount:agents:other")),
	),
}
