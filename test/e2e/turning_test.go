//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/loadclient"
)

const (
	// tokenLife is how long tokens live in these stories, heldFor how long a client uses one before it gets another.
	tokenLife = time.Minute
	heldFor   = 45 * time.Second
	// feedPause is how often each issuer mints a token. Whatever key signs then is the one it is signed with.
	feedPause = 500 * time.Millisecond

	turningPods = int32(3)
	partnerFile = "jwks.json"
)

// turning is a server with a provider of each type whose keys are replaced, under load with tokens of all of them.
type turning struct {
	*v1alpha1.MCPServer
	begun time.Time
	// told is what was noted last of the Managed keys.
	told string

	mu sync.Mutex
	// signs are the keys with which the issuers that we play sign now, by provider. The managed one is read anew for each
	// token, as `gatehouse token` does.
	signs map[string]keys.Private
	// steps are what happened, by provider.
	steps map[string][]string
}

// startTurning makes the server, and the issuers, and puts it under load.
func startTurning(ctx context.Context, providers ...string) *turning {
	GinkgoHelper()
	t := &turning{signs: map[string]keys.Private{}, steps: map[string][]string{}}
	t.MCPServer = fake(newStory(ctx), "turns")
	t.Spec.Replicas = ptrTo(turningPods)
	// Every client reaches every pod.
	t.Spec.Service = &v1alpha1.Service{SessionAffinity: corev1.ServiceAffinityNone}
	t.Spec.Auth = &v1alpha1.Auth{}
	for _, name := range providers {
		provider := v1alpha1.Provider{
			Name: name, ClockSkewSeconds: ptrTo[int32](0), MaxTokenLifetimeSeconds: ptrTo(int32(tokenLife / time.Second)),
		}
		if name != "managed" {
			provider.Issuer, provider.Audiences = "https://"+name+".example.com", []string{"turns"}
			t.signs[name] = generate()
		}
		switch name {
		case "managed":
			provider.Keys = v1alpha1.ProviderKeys{Type: v1alpha1.KeysManaged}
		case "partner":
			provider.Keys = v1alpha1.ProviderKeys{Type: v1alpha1.KeysSecret, Secret: &v1alpha1.SecretKeys{
				Name: "partner-keys", Keys: []string{partnerFile}, Format: v1alpha1.FormatJWKS,
			}}
			t.bring(ctx, t.signs[name].Public())
		case "corp":
			provider.Keys = v1alpha1.ProviderKeys{Type: v1alpha1.KeysRemote, Remote: &v1alpha1.RemoteKeys{
				JWKSURI: "http://" + clients[0].Status.PodIP + ":" + clientPort + "/documents/corp", PlainHTTP: v1alpha1.PlainHTTPAllow,
			}}
			t.serve(ctx, t.signs[name].Public())
		}
		t.Spec.Auth.Providers = append(t.Spec.Auth.Providers, provider)
	}
	create(ctx, t.MCPServer)
	Expect(podsOf(ctx, t.MCPServer)).To(HaveLen(int(turningPods)))
	t.begun = time.Now()
	t.feed(ctx)
	t.load(ctx)
	return t
}

func ptrTo[T any](value T) *T { return &value }

func generate() keys.Private {
	GinkgoHelper()
	key, err := keys.Generate(keys.ES256)
	Expect(err).NotTo(HaveOccurred())
	return key
}

// bring puts a set of keys into the Secret of the partner.
func (t *turning) bring(ctx context.Context, set ...keys.Public) {
	GinkgoHelper()
	data, err := keys.MarshalPublic(set)
	Expect(err).NotTo(HaveOccurred())
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: t.Namespace, Name: "partner-keys"}, Data: map[string][]byte{partnerFile: data}}
	if err := k8s.Create(ctx, secret); err == nil {
		return
	}
	edit(ctx, secret, func() { secret.Data[partnerFile] = data })
}

// serve publishes a set of keys where the gates fetch those of the corporation.
func (t *turning) serve(ctx context.Context, set ...keys.Public) {
	GinkgoHelper()
	data, err := keys.MarshalPublic(set)
	Expect(err).NotTo(HaveOccurred())
	var published int
	order(ctx, clients[0], http.MethodPost, "documents/corp", rawJSON(data), &published)
}

type rawJSON []byte

func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// template is what the issuer of a provider mints now.
func (t *turning) template(ctx context.Context, provider string) token.Template {
	GinkgoHelper()
	var template token.Template
	if provider == "managed" {
		template = issuer(ctx, t.DeepCopy())
	} else {
		t.mu.Lock()
		template = token.Template{Key: t.signs[provider], Issuer: "https://" + provider + ".example.com", Audience: "turns", Subject: "somebody"}
		t.mu.Unlock()
	}
	template.Lifetime = tokenLife
	return template
}

// feed hands the clients a fresh token of each issuer all the time, until the story ends.
func (t *turning) feed(ctx context.Context) {
	GinkgoHelper()
	mint := func(ctx context.Context) {
		minted := map[string]string{}
		for _, provider := range t.Spec.Auth.Providers {
			bearer, err := t.template(ctx, provider.Name).Good(time.Now())
			Expect(err).NotTo(HaveOccurred())
			minted[provider.Name] = bearer
		}
		for _, pod := range clients {
			var taken int
			order(ctx, pod, http.MethodPost, "tokens", minted, &taken)
		}
	}
	mint(ctx)
	// The context of the spec is done before its clean-up.
	feeding, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer GinkgoRecover()
		defer close(ended)
		for {
			select {
			case <-feeding.Done():
				return
			case <-time.After(feedPause):
				mint(context.WithoutCancel(feeding))
			}
		}
	}()
	DeferCleanup(func() {
		stop()
		<-ended
	})
}

// load sets both clients to work, each with the newest token for every request and with tokens that it holds, on new
// connections and on kept ones; and without any.
func (t *turning) load(ctx context.Context) {
	GinkgoHelper()
	none := listing(t.MCPServer, "")
	callers := []loadclient.Caller{{Name: "none", Workers: 1, Request: none, Want: `"missing_token"`}}
	for _, provider := range t.Spec.Auth.Providers {
		hold := int(heldFor / time.Second)
		callers = append(callers,
			loadclient.Caller{Name: provider.Name + ", newest token", Workers: 2, Token: provider.Name, Request: none, Want: `"result"`},
			loadclient.Caller{Name: provider.Name + ", held token", Workers: 2, Token: provider.Name, HoldSeconds: hold, Keep: true, Request: none, Want: `"result"`})
	}
	for i := range callers {
		callers[i].IntervalMillis = 400
	}
	for _, pod := range clients {
		var report loadclient.Report
		order(ctx, pod, http.MethodPost, "load", callers, &report)
	}
	DeferCleanup(stopLoad)
}

// note writes down what happened with the keys of a provider, and when.
func (t *turning) note(provider, format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.steps[provider] = append(t.steps[provider], fmt.Sprintf("%6.1f s  %s", time.Since(t.begun).Seconds(), fmt.Sprintf(format, args...)))
}

// answers asks every pod at its own address with a token of the template, and gives the answers: a status, and the reason
// of a refusal.
func (t *turning) answers(ctx context.Context, template token.Template) []string {
	GinkgoHelper()
	bearer, err := template.Good(time.Now())
	Expect(err).NotTo(HaveOccurred())
	var out []string
	for _, pod := range podsOf(ctx, t.MCPServer) {
		request := toMCP("http://"+pod.Status.PodIP+":8080/mcp", bearer)
		request.Body = listTools
		answer := ask(ctx, request)
		said := fmt.Sprint(answer.Status, answer.Failure)
		if _, reason, found := strings.Cut(answer.Body, `"reason":"`); found {
			reason, _, _ = strings.Cut(reason, `"`)
			said += " " + reason
		}
		out = append(out, said)
	}
	return out
}

const (
	acceptedByPod = "200"
	refusedByPod  = "401 unknown_key"
)

// onEveryPod matches answers of all pods of these stories.
func onEveryPod(answer string) OmegaMatcher { return And(HaveLen(int(turningPods)), HaveEach(answer)) }

// comesTo waits until every pod answers so to tokens of the template.
func (t *turning) comesTo(ctx context.Context, answer string, template token.Template) {
	GinkgoHelper()
	Eventually(t.answers).WithContext(ctx).WithArguments(template).WithPolling(time.Second).Should(onEveryPod(answer))
}

// count ends the load. It reports how the requests ended, and what happened meanwhile; none may have failed.
func (t *turning) count(ctx context.Context) {
	GinkgoHelper()
	sum := total(loadReports(ctx))
	stopLoad(ctx)
	for provider, steps := range t.steps {
		AddReportEntry("keys of "+provider, strings.Join(steps, "\n"))
	}
	all := 0
	for caller, counts := range sum {
		all += counts.Total()
		AddReportEntry("how the requests of "+caller+" ended", fmt.Sprint(counts.Ended))
	}
	AddReportEntry("requests in all", all)
	for caller, counts := range sum {
		want := "200"
		if caller == "none" {
			want = "401"
		}
		Expect(counts.Ended).To(And(HaveLen(1), HaveKey(want)), "%s: %q", caller, counts.Odd)
	}
}

// keyStatuses are those of the Managed keys, by kid.
func (t *turning) keyStatuses(ctx context.Context) (map[string]v1alpha1.KeyStatus, string) {
	GinkgoHelper()
	var now v1alpha1.MCPServer
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(t.MCPServer), &now)).To(Succeed())
	all := map[string]v1alpha1.KeyStatus{}
	var text []string
	for _, key := range now.Status.Keys {
		if key.Provider != "managed" {
			continue
		}
		all[key.KID] = key
		said := fmt.Sprintf("%.6s %s", key.KID, key.Phase)
		switch {
		case !key.RefusedTime.IsZero():
			said += " (refused by all)"
		case key.ObservedPods != nil:
			said += fmt.Sprintf(" (%d of %d pods)", *key.ObservedPods, now.Status.Replicas)
		}
		text = append(text, said)
	}
	return all, strings.Join(text, ", ")
}
