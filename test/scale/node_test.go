//go:build scale

package scale

import (
	"context"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// simulatedNode plays the controllers of Deployments and ReplicaSets, the scheduler and the kubelet: every Deployment gets one pod,
// whose gate runs in this process. All gates have one server behind them.
type simulatedNode struct {
	client.Client
	dir      string
	upstream string

	mu      sync.Mutex
	started int
	// ran are the pods whose gates run: the cache may not know it yet.
	ran map[types.UID]bool
}

func startNode(t *testing.T, control *controlPlane) *simulatedNode {
	t.Helper()
	manager, err := ctrl.NewManager(control.config, ctrl.Options{Scheme: control.scheme, Metrics: metricsserver.Options{BindAddress: "0"}})
	must(t, err)
	n := &simulatedNode{Client: manager.GetClient(), dir: t.TempDir(), upstream: "127.0.0.2", ran: map[types.UID]bool{}}
	server, err := mcpfake.New(mcpfake.Options{})
	must(t, err)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", n.upstream+":8000")
	must(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })

	ofServer := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: o.GetNamespace(), Name: o.GetLabels()[v1alpha1.LabelServer]}}}
	})
	must(t, ctrl.NewControllerManagedBy(manager).For(&appsv1.Deployment{}).Watches(&corev1.Pod{}, ofServer).
		WithOptions(controller.Options{MaxConcurrentReconciles: 8}).Complete(n))
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := manager.Start(ctx); err != nil {
			t.Errorf("the node: %v", err)
		}
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return n
}

// Reconcile takes a Deployment's pod one step on.
func (n *simulatedNode) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var deployment appsv1.Deployment
	if err := n.Get(ctx, request.NamespacedName, &deployment); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	var pod corev1.Pod
	err := n.Get(ctx, client.ObjectKey{Namespace: deployment.Namespace, Name: deployment.Name + "-1"}, &pod)
	switch {
	case apierrors.IsNotFound(err):
		return ctrl.Result{}, n.makePod(ctx, &deployment)
	case err != nil:
		return ctrl.Result{}, err
	case pod.Status.PodIP == "":
		return ctrl.Result{}, n.runPod(ctx, &deployment, &pod)
	case holds(&pod, v1alpha1.ConditionPodAuthProven) && !holds(&pod, corev1.PodReady):
		return ctrl.Result{}, n.sayReady(ctx, &pod)
	case holds(&pod, corev1.PodReady) && deployment.Status.ReadyReplicas == 0:
		return ctrl.Result{}, n.sayAvailable(ctx, &deployment)
	}
	return ctrl.Result{}, nil
}

func (n *simulatedNode) makePod(ctx context.Context, deployment *appsv1.Deployment) error {
	template := deployment.Spec.Template
	set := &appsv1.ReplicaSet{}
	set.Name, set.Namespace, set.Labels = deployment.Name+"-1", deployment.Namespace, maps.Clone(template.Labels)
	set.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(deployment, appsv1.SchemeGroupVersion.WithKind("Deployment"))}
	set.Spec.Selector, set.Spec.Template = deployment.Spec.Selector, template
	if err := n.Create(ctx, set); err != nil {
		return client.IgnoreAlreadyExists(err)
	}
	pod := &corev1.Pod{}
	pod.Name, pod.Namespace, pod.Labels = set.Name, set.Namespace, maps.Clone(template.Labels)
	pod.Annotations = maps.Clone(template.Annotations)
	pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))}
	pod.Spec = *template.Spec.DeepCopy()
	return client.IgnoreAlreadyExists(n.Create(ctx, pod))
}

// runPod starts the pod's gate, once, and says that all of its containers run.
func (n *simulatedNode) runPod(ctx context.Context, deployment *appsv1.Deployment, pod *corev1.Pod) error {
	n.mu.Lock()
	ran := n.ran[pod.UID]
	n.mu.Unlock()
	if ran {
		return nil
	}
	ip, err := n.startGate(ctx, deployment.Name, pod)
	if err != nil {
		return err
	}
	before := pod.DeepCopy()
	pod.Status.PodIP, pod.Status.PodIPs = ip, []corev1.PodIP{{IP: ip}}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
	for _, container := range pod.Spec.InitContainers {
		pod.Status.InitContainerStatuses = append(pod.Status.InitContainerStatuses,
			corev1.ContainerStatus{Name: container.Name, ContainerID: "c://" + container.Name, State: running, Ready: true})
	}
	for _, container := range pod.Spec.Containers {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses,
			corev1.ContainerStatus{Name: container.Name, ContainerID: "c://" + container.Name, State: running, Ready: true})
	}
	pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionTrue})
	if err := n.Status().Patch(ctx, pod, client.StrategicMergeFrom(before)); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ran[pod.UID] = true
	return nil
}

func (n *simulatedNode) sayReady(ctx context.Context, pod *corev1.Pod) error {
	before := pod.DeepCopy()
	pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue})
	return n.Status().Patch(ctx, pod, client.StrategicMergeFrom(before))
}

func (n *simulatedNode) sayAvailable(ctx context.Context, deployment *appsv1.Deployment) error {
	before := deployment.DeepCopy()
	deployment.Status = appsv1.DeploymentStatus{
		ObservedGeneration: deployment.Generation, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1,
	}
	return n.Status().Patch(ctx, deployment, client.MergeFrom(before))
}

func holds(pod *corev1.Pod, condition corev1.PodConditionType) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == condition {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// address gives every pod a loopback address of its own.
func (n *simulatedNode) address() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.started++
	return fmt.Sprintf("127.77.%d.%d", n.started/250, n.started%250+1)
}

func (n *simulatedNode) folder(pod *corev1.Pod, what string) string {
	return filepath.Join(n.dir, string(pod.UID), what)
}
