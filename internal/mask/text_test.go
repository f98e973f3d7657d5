package mask_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/mask"
)

// readableTexts are what people need to see, in the words of servers, kubelets and API servers. Nothing of them may go.
var readableTexts = []string{
	`KeyError: 'CATALOG_URL'`,
	`KeyError: 'TOOLS_API_KEY'`,
	`Error: BRAVE_API_KEY environment variable is required`,
	`GITLAB_PERSONAL_ACCESS_TOKEN environment variable is not set`,
	`Please set SLACK_BOT_TOKEN and SLACK_TEAM_ID environment variables`,
	`missing MCP_JWT_SECRET`,
	`required secret: MCP_JWT_SECRET`,
	`unset.sh: line 4: CATALOG_SECRET_TOKEN: unbound variable`,
	`SECRET_NAME: unbound variable`,
	`Multiuser mode requires QUILT_CATALOG_URL environment variable`,
	`pods "tools-7d9c5b8f6d-x2k4z" is forbidden: exceeded quota: compute-resources-team-a-2026, requested: limits.memory=2Gi, used: limits.memory=7Gi, limited: limits.memory=8Gi`,
	`pods "tools-7d9c5b8f6d-x2k4z" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "mcp" must set securityContext.allowPrivilegeEscalation=false), seccompProfile (pod or container "mcp" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`,
	`Failed to pull image "gatehouse.local/authproxy:v1.2.3": failed to resolve reference: not found`,
	`pull access denied for registry.example.com/team/auth-token-service:2026.11, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
	`failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://auth.example.com/token: 403 Forbidden`,
	`tls: failed to verify certificate: x509: certificate signed by unknown authority`,
	`image registry.example.com/tools@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`,
	`digest sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 does not match`,
	`uid 3f2504e0-4f89-11d3-9a0c-0305e82c3301 does not match`,
	`back-off 5m0s restarting failed container=mcp pod=tools-7d9c5b8f6d-x2k4z_team-a(3f2504e0-4f89-11d3-9a0c-0305e82c3301)`,
	`secrets "tools-keys" is forbidden: User "system:serviceaccount:gatehouse-system:gatehouse-operator" cannot get resource "secrets" in API group "" in the namespace "team-a"`,
	`couldn't find key MCP_JWT_SECRET in Secret team-a/quilt-jwt`,
	`secret "quilt-jwt" not found`,
	`MountVolume.SetUp failed for volume "gatehouse-keys" : secret "tools-keys" not found`,
	`failed to sync secret cache: timed out waiting for the condition`,
	`token: expired`,
	`invalid token: signature mismatch`,
	`password: must be at least 8 characters`,
	`api key: missing`,
	`key catalog.url: missing`,
	`Authorization header is missing`,
	`Authorization: required`,
	`Bearer token is malformed`,
	`basic authentication failed`,
	`WWW-Authenticate: Bearer realm="mcp", error="invalid_token"`,
	`dial tcp 10.0.0.7:5432: connect: connection refused`,
	`Get "https://login.example.net/realms/tools/.well-known/openid-configuration": dial tcp: lookup login.example.net: no such host`,
	`open /etc/configuration/application/settings.yaml: no such file or directory`,
	`open /var/run/secrets/kubernetes.io/serviceaccount/token: permission denied`,
	`ModuleNotFoundError: No module named 'authlib_keyring_backends'`,
	`Error: Cannot find module '/app/node_modules/@modelcontextprotocol/sdk/dist/index.js'`,
	`npm error notarget No matching version found for @acme/tools@1.2.3`,
	`see https://cdn.example.com/npm/tools@1.2.3/index.js`,
	`http://127.0.0.1:8000/mcp: connection reset`,
	`java.lang.IllegalStateException: environment variable CATALOG_URL is not set`,
	`panic: runtime error: invalid memory address or nil pointer dereference`,
	`[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x644b49]`,
	`admission webhook "validate.kyverno.svc-fail" denied the request: policy Deployment/team-a/tools for resource violation: require-run-as-non-root`,
	`0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient memory.`,
	`node ip-10-0-3-7.eu-west-1.compute.internal: instance i-0abcd1234ef567890 is gone`,
	`spec.template.spec.containers[0].securityContext.capabilities.drop: Required value: must include ALL`,
	`metadata.labels: Invalid value: "team/a/b": a qualified name must consist of alphanumeric characters`,
	`Input should be a valid integer, unable to parse string as an integer [type=int_parsing, input_type=str]`,
	`api_token: Field required [type=missing, input_value={}, input_type=dict]`,
	`listen tcp 127.0.0.1:8000: bind: address already in use`,
	`ImportError: cannot import name 'McpError' from 'mcp.shared.exceptions' (/usr/local/lib/python3.11/site-packages/mcp/shared/exceptions.py)`,
	`Could not load model sentence-transformers/all-MiniLM-L6-v2 from any source.`,
	`Key: 'Config.CatalogURL' Error:Field validation for 'CatalogURL' failed on the 'required' tag`,
	`usage: tools [-h] --api-key API_KEY [--port PORT]`,
	`the following arguments are required: --api-key`,
	`flag --token is required`,
	`option '--client-secret' requires a value`,
	`Unexpected token '}', "{oops}" is not valid JSON`,
	`password authentication failed for user "tools"`,
	`API key is required`,
	`pass: 12, fail: 3`,
	`cannot import name 'AsyncOAuth2Client2FA' from 'authlib'`,
	`node gke-prod-default-pool-3f2b1c9d-x7kq is not ready`,
	`registry.example.com/team/tool@v1.2.3-abcdef12345678`,
	`token=""`,
	`password=null`,
	`API_KEY=<unset>`,
	`"api_key": null`,
	`the env var TOOLS_TOKEN=${TOOLS_TOKEN} was not replaced`,
	`failed to load private key: open /keys/tls.key: permission denied`,
	`unsupported key type: secp256k1`,
	`session: not found`,
	`cookie: value too long`,
	`2026-11-29T10:00:00.123456789Z ERROR retrying in 1732882156123 ms`,
	`claim aud: got tools-2026, want https://tools.example.com/mcp`,
	`wrong_type: the token's typ is JWT, and provider login takes at+jwt`,
}

func TestWordsSurvive(t *testing.T) {
	for _, text := range readableTexts {
		if got := mask.Text(text); got != text {
			t.Errorf("\n%q became\n%q", text, got)
		}
		if got := mask.Trusted(text); got != text {
			t.Errorf("of the API server:\n%q became\n%q", text, got)
		}
	}
	const kid = "the key NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs of provider login is used twice"
	if got := mask.Trusted(kid); got != kid {
		t.Errorf("of the gate: %q became\n%q", kid, got)
	}
}

const planted = "Zx9Kq2LmT7vB4nW8sY3dF6hJ"

// secrets hold planted in every shape that secrets are told in, or another value behind "|".
var secrets = []string{
	"Authorization: Bearer " + planted,
	"authorization: basic " + planted,
	"Authorization: Bearer swordfish|swordfish",
	"'Authorization': 'Basic dXNlcjpwYXNz'|dXNlcjpwYXNz",
	`"Authorization":"ApiKey hunter2"|hunter2`,
	"Proxy-Authorization: hunter2|hunter2",
	"X-Api-Key: hunter2|hunter2",
	"Cookie: session=" + planted + "; theme=dark",
	"Set-Cookie: sid=hunter2; HttpOnly|hunter2",
	"DPoP " + planted,
	"got token=" + planted,
	"got TOKEN: '" + planted + "'",
	"token=swordfish|swordfish",
	`{"client_secret": "swordfish"}|swordfish`,
	`{"clientSecret":"swordfish","a":1}|swordfish`,
	`{\"client_secret\": \"swordfish\"}|swordfish`,
	"DB_PASSWORD=" + planted,
	"DB_PASSWORD=swordfish|swordfish",
	"password: swordfish|swordfish",
	"password: correct horse battery staple|battery",
	"password='correct horse'|horse",
	"passwd:hunter2|hunter2",
	"--api-key=hunter2x9|hunter2x9",
	"api-key: " + planted,
	"apiKey => " + planted,
	"postgres://user:" + planted + "@db:5432/x",
	"postgres://user:p/w@rd1@db:5432/x|p/w@rd1",
	"redis://:hunter2@cache:6379/0|hunter2",
	"amqp://guest:guest99@mq/|guest99",
	"mongodb+srv://u:hunter2@cluster0.example.net/test?w=majority|hunter2",
	"https://" + planted + "@git.example.com/x.git",
	"user:hunter2@tcp(db:3306)/tools|hunter2",
	"user:hunter2@db.example.com:5432/tools|hunter2",
	"Server=db;User Id=sa;Password=P@ss w0rd;Encrypt=true|w0rd",
	"AccountName=x;AccountKey=" + planted + "==;EndpointSuffix=core",
	"host=db user=app password=swordfish sslmode=disable|swordfish",
	"GET https://api.example.com/v1?sig=" + planted,
	"GET https://api.example.com/v1?user=bob&pin=1234|1234",
	"GET /mcp?access_token=hunter2 HTTP/1.1|hunter2",
	"https://app.example.com/cb#access_token=hunter2|hunter2",
	"jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ" + planted + ".c2ln" + planted,
	"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0|eyJzdWIiOiJhIn0",
	"-----BEGIN PRIVATE KEY-----\n" + planted + "\n-----END PRIVATE KEY-----",
	"-----BEGIN EC PRIVATE KEY-----\n" + planted,
	"MIGHAgEAMBMGByqGSM49\n" + planted + "\nabcd\n-----END EC PRIVATE KEY-----",
	`key: "-----BEGIN PRIVATE KEY-----\n` + planted + `\n-----END PRIVATE KEY-----\n"`,
	"LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg" + planted,
	"raw " + planted,
	"AKIAABCDEFGHIJKLMNOP|AKIAABCDEFGHIJKLMNOP",
	"AIzaSyA1234567890abcdefghijklmnopqrstuv|AIzaSyA1234567890",
	"ghp_abcdefghijklmnopqrstuvwxyz0123456789|abcdefghijkl",
	"github_pat_11ABCDEFG0abcdefghijkl_mnopqrst|11ABCDEFG0",
	"xoxb-123456789012-abcdefGHIJKL|abcdefGHIJKL",
	"sk_live_abcdefghij0123456789|abcdefghij",
	"sk-proj-abcDEF0123456789ghij|abcDEF",
	"glpat-abcdefGHIJ0123456789|abcdefGHIJ",
	"dsn=" + planted + ";x",
	"token=\u200b" + planted,
	"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY|K7MDENG",
	"9f86d081884c7d659a2feaa0c55ad015|9f86d081884c7d65",
	"hqzvkxwmtrplnbgdfcsj|hqzvkxwmtr",
	"a1b2-c3d4-e5f6-a7b8|e5f6",
	"first " + planted + planted + "\nx9Kq2LmT\nDone|x9Kq2LmT",
	"prefix-words-" + planted,
	"token: {'value': '" + planted + "'}",
	"the secret is " + planted + ".",
	"export SECRET=hunter2 && run|hunter2",
	"Secret: hunter2|hunter2",
	"input_value={'api_key': 'swordfish'}, input_type=dict|swordfish",
	"level=error msg=\"bad\" password=\"sword fish\"|fish",
	"TOKEN=abc_def_ghi|abc_def_ghi",
	"password=\"swordfish and|swordfish",
	"invalid api key: swordfish99|swordfish99",
	"password swordfish99 is wrong|swordfish99",
	`wrong password "swordfish" for user bob|swordfish`,
	"using api_key 'swordfish99'|swordfish99",
	"Incorrect API key provided: sk-pr*****xyz. You can find|xyz",
	"client_secret is 'swordfish99'|swordfish99",
	"--password hunter22|hunter22",
	"--api-key hunter --port 8|hunter",
	"curl -u admin:hunter22 https://x.example|hunter22",
	"session_id=abc123def456|abc123def456",
	"secret_key_base: aaaa bbbb|bbbb",
	"https://api.telegram.org/bot123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/getMe|TcvCH1vGWJ",
	"https://hooks.example.com/services/T0000/B0000/XyZaBcDeFgHiJkLmNoPqRsTu|JkLmNoPq",
}

func TestSecretsDoNotSurvive(t *testing.T) {
	for _, row := range secrets {
		text, secret, found := strings.Cut(row, "|")
		if !found {
			secret = planted[:12]
		}
		if got := mask.Text(text); strings.Contains(got, secret) || !strings.Contains(got, mask.Placeholder) {
			t.Errorf("%q became\n%q", text, got)
		}
	}
}

func TestWordsAroundSecretsSurvive(t *testing.T) {
	for text, want := range map[string]string{
		"postgres://user:hunter2@db.example.com:5432/tools?sslmode=off refused": "postgres://[redacted]@db.example.com:5432/tools?[redacted] refused",
		"Authorization: Bearer " + planted + "\nnext line":                      "Authorization: Bearer [redacted]\nnext line",
		"password=hunter2, CATALOG_URL missing":                                 "password=[redacted], CATALOG_URL missing",
		"key " + planted + " of tools-2026":                                     "key [redacted] of tools-2026",
		"token=" + planted + " user=bob":                                        "token=[redacted] user=bob",
		"https://api.example.com/v1/tools?a=b: 403":                             "https://api.example.com/v1/tools?[redacted]: 403",
		"DB_PASSWORD=hunter2 API_KEY=" + planted:                                "DB_PASSWORD=[redacted] API_KEY=[redacted]",
	} {
		if got := mask.Text(text); got != want {
			t.Errorf("%q became\n%q, want\n%q", text, got, want)
		}
	}
}

// A container chooses its words, and the operator must not be kept busy by them.
func TestHostileTextTakesNoLongTime(t *testing.T) {
	const size = 16 << 10 // of which the kubelet passes on 4 KiB
	for _, unit := range []string{
		"a=", "key: ", "key=", "password: x ", "token=\"", "a:b@", "//x@", "aB1", "a\n", "%25", `\\`, "-----BEGIN A-----", "Bearer ", "A=A b ", "--token ", "key='",
	} {
		begun := time.Now()
		mask.Text(strings.Repeat(unit, size/len(unit)))
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("%d bytes of %q take %s", size, unit, took)
		}
	}
}

func TestTextCannotForgeOrHide(t *testing.T) {
	for text, want := range map[string]string{
		"a\x1b[31mred\x1b[0m\u202eabc\u200bdef\x00":              "aredabcdef",
		"\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\ x": "link x",
		"\x1b[": "[",
	} {
		if got := mask.Text(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestCutKeepsBothEnds(t *testing.T) {
	text := "Failed to pull image " + strings.Repeat("x", 500) + ": not found"
	got := mask.Cut(text, 100)
	if len([]rune(got)) > 100 || !strings.HasPrefix(got, "Failed to pull image") || !strings.HasSuffix(got, ": not found") {
		t.Errorf("got %q", got)
	}
	for _, text := range []string{"", "short", strings.Repeat("ü", 100)} {
		if got := mask.Cut(text, 100); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// Whatever stands around it, a password that is named as one goes.
func FuzzText(f *testing.F) {
	for _, text := range readableTexts {
		f.Add(text)
	}
	for _, text := range secrets {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got := mask.Text(text + "\n" + "DB_PASSWORD=" + planted); strings.Contains(got, planted[:12]) {
			t.Errorf("%q became %q", text, got)
		}
		if got := mask.Text(planted + "\n" + text); strings.Contains(got, planted[:12]) {
			t.Errorf("%q became %q", text, got)
		}
	})
}
