//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// A release whose gates read another schema of their configuration (test/altered).
var (
	gateNextImage     = os.Getenv("GATE_NEXT_IMG")
	operatorNextImage = os.Getenv("OPERATOR_NEXT_IMG")
)

var _ = Describe("An upgrade to a release with another schema, and back", Serial, Label("upgrade"), func() {
	It("goes one server at a time and breaks no request", func(ctx SpecContext) {
		story := newStory(ctx)
		fleet := []*v1alpha1.MCPServer{fake(story, "alpha"), fake(story, "beta"), fake(story, "gamma")}
		replicas := int32(3)
		fleet[0].Spec.Replicas = &replicas
		for _, server := range fleet {
			create(ctx, server)
		}
		kid := fleet[0].Status.Keys[0].KID
		gate := fleet[0].Status.GateImage
		startLoad(ctx, fleet[0])
		DeferCleanup(stopLoad)
		Eventually(finished).WithContext(ctx).WithArguments("slow").Should(BeNumerically(">", 1))

		begun := time.Now()
		operatorIsOf(ctx, operatorNextImage, gateNextImage)
		follow(ctx, fleet, gateNextImage, gateapi.Schema+1)
		AddReportEntry("how long the upgrade took", time.Since(begun).Round(time.Second).String())

		begun = time.Now()
		operatorIsOf(ctx, "", gate)
		follow(ctx, fleet, gate, gateapi.Schema)
		AddReportEntry("how long the way back took", time.Since(begun).Round(time.Second).String())

		keepsOn(ctx)
		breaksNone(ctx)
		for _, server := range fleet {
			becomesHealthy(ctx, server)
			answersAsItShould(ctx, server)
		}
		Expect(fleet[0].Status.Keys).To(ConsistOf(HaveField("KID", kid)))
	})
})

// keepsOn waits for more slow requests to end.
func keepsOn(ctx context.Context) {
	GinkgoHelper()
	slow := finished(ctx, "slow")
	Eventually(finished).WithContext(ctx).WithArguments("slow").Should(BeNumerically(">", slow+3))
}

// follow waits until all gates are of an image, and all else is gone but the configuration that these read. Meanwhile it
// holds the fleet to its promises.
func follow(ctx context.Context, fleet []*v1alpha1.MCPServer, image string, schema int) {
	GinkgoHelper()
	most := 0
	Eventually(func(g Gomega) {
		var deployments appsv1.DeploymentList
		g.Expect(k8s.List(ctx, &deployments, client.InNamespace(fleet[0].Namespace))).To(Succeed())
		at := 0
		for _, deployment := range deployments.Items {
			if deployment.Annotations[v1alpha1.AnnotationUpgrading] != "" {
				at++
			}
		}
		most = max(most, at)
		done := at == 0
		for _, server := range fleet {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
			healthy := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAuthHealthy)
			if at > 1 || healthy.Status == metav1.ConditionFalse {
				StopTrying(fmt.Sprintf("%d are upgraded at a time; AuthHealthy of %s: %s", at, server.Name, healthy.Message)).Now()
			}
			var config corev1.ConfigMap
			g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: server.Name + "-authproxy"}, &config)).To(Succeed())
			done = done && server.Status.GateImage == image && len(config.Data) == 1 && config.Data[gateapi.ConfigFileOf(schema)] != ""
		}
		g.Expect(done).To(BeTrue(), "%d are being upgraded", at)
	}).WithContext(ctx).WithTimeout(10 * time.Minute).Should(Succeed())
	Expect(most).To(Equal(1), "as many as may be were upgraded at a time")
}

// operatorIsOf runs the operator of a release, with its gate, until the story ends. An empty image is that of this release.
func operatorIsOf(ctx context.Context, image, gate string) {
	GinkgoHelper()
	changeOperator(ctx, func(c *corev1.Container) {
		if image == "" {
			image = os.Getenv("IMG")
		}
		c.Image = image
		c.Args = append(c.Args, "--max-concurrent-upgrades=1")
		for i := range c.Env {
			if c.Env[i].Name == "AUTHPROXY_IMAGE" {
				c.Env[i].Value = gate
			}
		}
	})
}
