//go:build providers

package providers

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

var hydraProgram = flag.String("hydra", "", "Ory Hydra")

const (
	hydraURL, hydraAdmin = "https://hydra.example.com", "http://127.0.0.1:4445/admin"

	serverURL = "https://mcp.example.com/mcp"
)

type hydra struct {
	world        *world
	oldKey       string
	clientSecret string
}

func TestHydra(t *testing.T) {
	w := theWorld(t)
	h := &hydra{world: w, clientSecret: "agents-secret"}
	w.route("hydra.example.com", "4444")
	pod.Start(t, filepath.Join(*logs, "hydra.log"), []string{
		"DSN=memory", "SECRETS_SYSTEM=sixteen-characters-or-more", "URLS_SELF_ISSUER=" + hydraURL,
		"URLS_LOGIN=https://login.example.com/login", "URLS_CONSENT=https://login.example.com/consent",
		"STRATEGIES_ACCESS_TOKEN=jwt", "SERVE_PUBLIC_HOST=127.0.0.1", "SERVE_ADMIN_HOST=127.0.0.1",
		"SERVE_PUBLIC_TLS_ENABLED=false", "SERVE_TLS_ALLOW_TERMINATION_FROM=127.0.0.0/8", "SERVE_PUBLIC_TLS_ALLOW_TERMINATION_FROM=127.0.0.0/8", "SERVE_ADMIN_TLS_ALLOW_TERMINATION_FROM=127.0.0.0/8",
		"SQA_OPT_OUT=true",
	}, *hydraProgram, "serve", "all", "--dev")
	pod.Eventually(t, "Hydra is ready", func() bool {
		response, err := http.Get("http://127.0.0.1:4445/health/ready")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	h.admin(t, http.MethodPost, "/clients", map[string]any{
		"client_id": "agent", "client_secret": h.clientSecret, "grant_types": []string{"client_credentials", "authorization_code"},
		"response_types": []string{"code"}, "redirect_uris": []string{"https://agent.example.com/callback"},
		"audience": []string{serverURL, otherServer}, "scope": "openid mcp", "token_endpoint_auth_method": "client_secret_post",
	})
	w.try(t, "hydra", h)
}

func (h *hydra) access(t *testing.T) string {
	t.Helper()
	return h.token(t, url.Values{"grant_type": {"client_credentials"}, "scope": {"mcp"}, "audience": {serverURL}})["access_token"]
}

func (h *hydra) other(t *testing.T) string {
	t.Helper()
	return h.token(t, url.Values{"grant_type": {"client_credentials"}, "scope": {"mcp"}, "audience": {otherServer}})["access_token"]
}

// idToken logs somebody in, in place of a login page.
func (h *hydra) idToken(t *testing.T) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	browser := *h.world.client
	browser.Jar = jar
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	next := func(from string) url.Values {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, from, http.NoBody)
		must(t, err)
		response, err := browser.Do(request)
		must(t, err)
		response.Body.Close()
		to, err := url.Parse(response.Header.Get("Location"))
		must(t, err)
		return to.Query()
	}
	accept := func(kind, challenge string, with map[string]any) string {
		answer := h.admin(t, http.MethodPut, "/oauth2/auth/requests/"+kind+"/accept?"+kind+"_challenge="+url.QueryEscape(challenge), with)
		to, _ := answer["redirect_to"].(string)
		return to
	}
	login := next(hydraURL + "/oauth2/auth?" + url.Values{
		"client_id": {"agent"}, "response_type": {"code"}, "scope": {"openid mcp"}, "audience": {serverURL}, "state": {"some-state-of-ours"},
		"redirect_uri": {"https://agent.example.com/callback"},
	}.Encode())
	consent := next(accept("login", login.Get("login_challenge"), map[string]any{"subject": "alice"}))
	back := next(accept("consent", consent.Get("consent_challenge"), map[string]any{
		"grant_scope": []string{"openid", "mcp"}, "grant_access_token_audience": []string{serverURL},
	}))
	tokens := h.token(t, url.Values{"grant_type": {"authorization_code"}, "code": {back.Get("code")}, "redirect_uri": {"https://agent.example.com/callback"}})
	show(t, "access token of somebody who logged in", tokens["access_token"])
	h.world.expect(t, "hydra", tokens["access_token"], "200")
	return tokens["id_token"]
}

func (h *hydra) token(t *testing.T, form url.Values) map[string]string {
	t.Helper()
	form.Set("client_id", "agent")
	form.Set("client_secret", h.clientSecret)
	return h.world.token(t, hydraURL+"/oauth2/token", form)
}

// token asks an authorization server for tokens.
func (w *world) token(t *testing.T, endpoint string, form url.Values) map[string]string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	must(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := w.do(t, request)
	tokens := map[string]string{}
	for _, name := range []string{"access_token", "id_token"} {
		tokens[name], _ = answer[name].(string)
	}
	if tokens["access_token"] == "" {
		t.Fatalf("%s gives no access token: %v", endpoint, answer)
	}
	return tokens
}

// do sends a request that must succeed, and reads the object that comes back, if one does.
func (w *world) do(t *testing.T, request *http.Request) map[string]any {
	t.Helper()
	response, err := w.client.Do(request)
	must(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(t, err)
	if response.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %s: %s", request.Method, request.URL.Path, response.Status, text)
	}
	var answer map[string]any
	_ = json.Unmarshal(text, &answer) // Not all answers are objects.
	return answer
}

func (h *hydra) admin(t *testing.T, method, path string, body any) map[string]any {
	t.Helper()
	encoded, err := json.Marshal(body)
	must(t, err)
	request, err := http.NewRequestWithContext(t.Context(), method, hydraAdmin+path, bytes.NewReader(encoded))
	must(t, err)
	request.Header.Set("Content-Type", "application/json")
	return h.world.do(t, request)
}

const hydraKeys = "/keys/hydra.jwt.access-token"

// rotate adds a key: Hydra signs with the newest.
func (h *hydra) rotate(t *testing.T) {
	t.Helper()
	h.oldKey = keyOf(t, h.access(t))
	h.admin(t, http.MethodPost, hydraKeys, map[string]any{"alg": "RS256", "use": "sig", "kid": "next"})
}

func (h *hydra) retire(t *testing.T) {
	t.Helper()
	h.admin(t, http.MethodDelete, hydraKeys+"/"+h.oldKey, nil)
}
