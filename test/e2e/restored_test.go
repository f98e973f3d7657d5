//go:build e2e

package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

var _ = Describe("The exported keys of a server that was deleted", Label("keys"), func() {
	// The steps of docs/keys.md, "Move to another cluster, or to another name". The keys can be imported only once the new
	// MCPServer exists, because it owns their Secret.
	It("stay with the server that is made again, which lets the old tokens in", func(ctx SpecContext) {
		namespace := newStory(ctx)
		server := create(ctx, fake(namespace, "restored"))
		kid := issuer(ctx, server).Key.ID()
		old := strings.TrimSpace(gatehouse(ctx, server, "token", server.Name, "--ttl", "1h"))
		Expect(ask(ctx, listing(server, old))).To(beLetIn())

		By("exporting the keys")
		path := filepath.Join(GinkgoT().TempDir(), "keys.yaml")
		Expect(os.WriteFile(path, []byte(gatehouse(ctx, server, "keys", "export", server.Name)), 0o600)).To(Succeed())

		By("deleting the server, which takes its keys with it")
		kept := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: desired.KeysSecretName(server)}}
		Expect(k8s.Delete(ctx, server)).To(Succeed())
		Eventually(k8s.Get).WithContext(ctx).WithArguments(client.ObjectKeyFromObject(kept), kept).Should(MatchError(apierrors.IsNotFound, "IsNotFound"))

		By("making it again with the issuer that the file names, and importing the keys at once")
		again := trusting(fake(namespace, server.Name), v1alpha1.Provider{Name: desired.DefaultProvider, Keys: v1alpha1.ProviderKeys{
			Type: v1alpha1.KeysManaged, Managed: &v1alpha1.ManagedKeys{Issuer: issuerIn(path)},
		}})
		Expect(k8s.Create(ctx, again)).To(Succeed())
		Expect(again.UID).NotTo(Equal(server.UID))
		AddReportEntry("what the import says", gatehouse(ctx, again, "keys", "import", again.Name, "--filename", path))
		becomesHealthy(ctx, again)
		Expect(issuer(ctx, again).Key.ID()).To(Equal(kid), "the imported key signs")
		Eventually(ask).WithContext(ctx).WithArguments(listing(again, old)).Should(beLetIn())

		By("watching whether the garbage collector takes the keys")
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(kept), kept)).To(Succeed())
		foreign := issuer(ctx, again)
		foreignKey, err := keys.Generate(foreign.Key.Algorithm())
		Expect(err).NotTo(HaveOccurred())
		foreign.Key = foreignKey
		stranger, forged := mintGood(foreign), badToken(ctx, again, token.WrongKey)
		begun, looks, uid := time.Now(), 0, kept.UID
		Consistently(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(kept), kept)).To(Succeed())
			g.Expect(kept).To(And(HaveField("UID", uid), HaveField("DeletionTimestamp", BeNil())))
			g.Expect(metav1.IsControlledBy(kept, again)).To(BeTrue())
			g.Expect(ask(ctx, listing(again, old))).To(beLetIn())
			g.Expect(ask(ctx, listing(again, stranger))).To(refusedFor("unknown_key"))
			g.Expect(ask(ctx, listing(again, forged))).To(refusedFor("bad_signature"))
			looks++
		}, "30s", "500ms").WithContext(ctx).Should(Succeed())
		AddReportEntry("the Secret stayed, the old token was let in, and foreign keys were refused",
			fmt.Sprintf("%d times in %s", looks, time.Since(begun).Round(time.Second)))
	}, NodeTimeout(15*time.Minute))
})

// issuerIn is the issuer that an export of keys names.
func issuerIn(path string) string {
	GinkgoHelper()
	text, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	var exported corev1.Secret
	Expect(yaml.Unmarshal(text, &exported)).To(Succeed())
	Expect(exported.Annotations).To(HaveKey(v1alpha1.AnnotationIssuer))
	return exported.Annotations[v1alpha1.AnnotationIssuer]
}
