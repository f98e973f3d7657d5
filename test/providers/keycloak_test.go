//go:build providers

package providers

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

var keycloakDir = flag.String("keycloak", "", "directory of Keycloak")

const (
	keycloakURL   = "https://keycloak.example.com"
	keycloakAdmin = "http://127.0.0.1:18080/admin/realms"
	// keycloakStart is how long the first start takes, which compiles the configuration.
	keycloakStart = 15 * time.Minute
)

type keycloak struct {
	world *world
	realm string // ID
}

func TestKeycloak(t *testing.T) {
	w := theWorld(t)
	k := &keycloak{world: w}
	w.route("keycloak.example.com", "18080")
	log := filepath.Join(*logs, "keycloak.log")
	pod.Start(t, log, []string{
		"KC_BOOTSTRAP_ADMIN_USERNAME=admin", "KC_BOOTSTRAP_ADMIN_PASSWORD=admin", "KC_CACHE=local", "KC_DB=dev-mem",
		"KC_HTTP_HOST=127.0.0.1", "KC_HTTP_PORT=18080", "KC_HOSTNAME=" + keycloakURL, "KC_PROXY_HEADERS=xforwarded",
	}, filepath.Join(*keycloakDir, "bin", "kc.sh"), "start-dev")
	for deadline := time.Now().Add(keycloakStart); !k.isUp(t); time.Sleep(time.Second) {
		if time.Now().After(deadline) {
			t.Fatalf("Keycloak does not start within %s; its log is %s", keycloakStart, log)
		}
	}
	k.makeRealm(t)
	w.try(t, "keycloak", k)
}

func (k *keycloak) isUp(t *testing.T) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, keycloakURL+"/realms/master", http.NoBody)
	must(t, err)
	response, err := k.world.client.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// makeRealm does what docs/providers/keycloak.md says.
func (k *keycloak) makeRealm(t *testing.T) {
	t.Helper()
	k.ask(t, http.MethodPost, "", map[string]any{"realm": "tools", "enabled": true})
	for scope, audience := range map[string]string{"mcp": serverURL, "other": otherServer} {
		k.ask(t, http.MethodPost, "/tools/client-scopes", map[string]any{
			"name": scope, "protocol": "openid-connect", "attributes": map[string]string{"include.in.token.scope": "true"},
			"protocolMappers": []any{map[string]any{
				"name": "audience", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
				"config": map[string]string{"included.custom.audience": audience, "access.token.claim": "true", "id.token.claim": "false"},
			}},
		})
	}
	k.ask(t, http.MethodPost, "/tools/clients", map[string]any{
		"clientId": "agent", "secret": "agents-secret", "publicClient": false, "serviceAccountsEnabled": true,
		"directAccessGrantsEnabled": true, "optionalClientScopes": []string{"mcp", "other"},
		"defaultClientScopes": []string{"basic", "profile", "roles"},
	})
	k.ask(t, http.MethodPost, "/tools/users", map[string]any{
		"username": "alice", "enabled": true, "email": "alice@example.com", "emailVerified": true, "firstName": "Alice", "lastName": "A",
		"credentials": []any{map[string]any{"type": "password", "value": "alices-password", "temporary": false}},
	})
	var realm struct{ ID string }
	must(t, json.Unmarshal(k.ask(t, http.MethodGet, "/tools", nil), &realm))
	k.realm = realm.ID
}

// ask is a request of the administrator.
func (k *keycloak) ask(t *testing.T, method, path string, body any) []byte {
	t.Helper()
	admin := k.world.token(t, keycloakURL+"/realms/master/protocol/openid-connect/token",
		url.Values{"client_id": {"admin-cli"}, "grant_type": {"password"}, "username": {"admin"}, "password": {"admin"}})
	encoded, err := json.Marshal(body)
	must(t, err)
	request, err := http.NewRequestWithContext(t.Context(), method, keycloakAdmin+path, bytes.NewReader(encoded))
	must(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+admin["access_token"])
	response, err := k.world.client.Do(request)
	must(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	must(t, err)
	if response.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %s: %s", method, path, response.Status, answer)
	}
	return answer
}

func (k *keycloak) token(t *testing.T, form url.Values) map[string]string {
	t.Helper()
	form.Set("client_id", "agent")
	form.Set("client_secret", "agents-secret")
	return k.world.token(t, keycloakURL+"/realms/tools/protocol/openid-connect/token", form)
}

func (k *keycloak) access(t *testing.T) string {
	t.Helper()
	return k.token(t, url.Values{"grant_type": {"client_credentials"}, "scope": {"mcp"}})["access_token"]
}

func (k *keycloak) other(t *testing.T) string {
	t.Helper()
	return k.token(t, url.Values{"grant_type": {"client_credentials"}, "scope": {"other"}})["access_token"]
}

func (k *keycloak) idToken(t *testing.T) string {
	t.Helper()
	tokens := k.token(t, url.Values{"grant_type": {"password"}, "username": {"alice"}, "password": {"alices-password"}, "scope": {"openid mcp"}})
	show(t, "access token of somebody who logged in", tokens["access_token"])
	k.world.expect(t, "keycloak", tokens["access_token"], "200")
	without := k.token(t, url.Values{"grant_type": {"password"}, "username": {"alice"}, "password": {"alices-password"}, "scope": {"openid"}})
	show(t, "access token without the scope", without["access_token"])
	return tokens["id_token"]
}

// rotate adds a key that is preferred to the others.
func (k *keycloak) rotate(t *testing.T) {
	t.Helper()
	k.ask(t, http.MethodPost, "/tools/components", map[string]any{
		"name": "next", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider", "parentId": k.realm,
		"config": map[string][]string{"priority": {"200"}, "enabled": {"true"}, "active": {"true"}, "algorithm": {"RS256"}, "keySize": {"2048"}},
	})
}

// retire deletes the other keys for signatures.
func (k *keycloak) retire(t *testing.T) {
	t.Helper()
	var components []struct{ ID, Name, ProviderID string }
	must(t, json.Unmarshal(k.ask(t, http.MethodGet, "/tools/components?type=org.keycloak.keys.KeyProvider", nil), &components))
	for _, c := range components {
		if c.ProviderID == "rsa-generated" && c.Name != "next" {
			k.ask(t, http.MethodDelete, "/tools/components/"+c.ID, nil)
		}
	}
}
