package authprobe

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// probeSubject is who the prober says it is, otherSubject who tries to enter its session, and tokenLifetime how long its
// tokens open anything.
const (
	probeSubject  = "gatehouse-probe"
	otherSubject  = "gatehouse-probe-other"
	tokenLifetime = time.Minute
)

// credentials are what the operator needs to try a server's lock.
type credentials struct {
	// control tells that the operator can mint tokens that must be let in.
	control bool
	// provider is whose tokens these are.
	provider probe.Provider
	skew     time.Duration
	admin    admin.Key
}

// credentials reads the server's Secrets. Nil means that they are not there, or not usable, yet; the condition
// KeysReady says so.
func (r *Reconciler) credentials(ctx context.Context, server *v1alpha1.MCPServer) (*credentials, error) {
	private, err := r.secretData(ctx, server, desired.KeysSecretName(server))
	if err != nil {
		return nil, err
	}
	shared, err := r.secretData(ctx, server, desired.GateSecretName(server))
	if err != nil {
		return nil, err
	}
	key, err := admin.NewKey(shared[authproxy.SecretFile])
	if err != nil {
		return nil, nil //nolint:nilerr // a Secret that is not what it must be is put right by its controller
	}
	provider, managed := desired.Resolve(server).Managed()
	if !managed {
		return &credentials{admin: key}, nil
	}
	set, err := keys.ParsePrivate(private[authproxy.KeysFile(provider.Name)])
	if err != nil {
		return nil, nil //nolint:nilerr // the condition KeysReady tells what is wrong with the Secret
	}
	return &credentials{
		admin: key, control: true,
		skew: time.Duration(provider.ClockSkewSeconds) * time.Second,
		provider: probe.Provider{
			Name: provider.Name, MaxTokenLifetime: time.Duration(provider.MaxTokenLifetimeSeconds) * time.Second,
			OtherCaller: map[string]any{"sub": otherSubject},
			Tokens: entitled(token.Template{
				Key: set[0], Issuer: desired.ManagedIssuer(server), Audience: desired.ManagedIssuer(server),
				Subject: probeSubject, Lifetime: tokenLifetime,
			}, server),
		},
	}, nil
}

// secretData is empty while the Secret is not there, or not ours.
func (r *Reconciler) secretData(ctx context.Context, server *v1alpha1.MCPServer, name string) (map[string][]byte, error) {
	var secret corev1.Secret
	err := r.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: name}, &secret)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read Secret %s: %w", name, err)
	}
	if !metav1.IsControlledBy(&secret, server) {
		return nil, nil
	}
	return secret.Data, nil
}

// round tries one pod. It does not count when the pod changed under it: what answered may then be another.
//
// A token that opens anything is sent to a pod only if its chain of owners ends at this server, and the gate has just
// proved that it is the one of this very pod.
func (r *Reconciler) round(ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod, use credentials) (result evidence, counts bool) {
	log := logf.FromContext(ctx).WithValues("pod", pod.Name)
	template, owned, err := r.template(ctx, server, pod)
	if err != nil {
		log.Info("the round does not count", "reason", err.Error())
		return evidence{}, false
	}
	if !owned {
		return stranger(r.Now()), true
	}
	if violations := desired.Locked(pod.Spec, desired.LockOf(server, template)); len(violations) > 0 {
		return tampered(violations, r.Now()), true
	}
	result, err = r.try(ctx, server, pod, use)
	if err != nil {
		log.Info("the round does not count", "reason", err.Error())
		return evidence{}, false
	}
	return result, r.unchanged(ctx, pod)
}

// try asks the gate who it is, puts the cases to it, and asks again: evidence is about one process.
func (r *Reconciler) try(ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod, use credentials) (evidence, error) {
	settings := desired.Resolve(server)
	before, failure := r.identify(ctx, pod, use, settings.Probe.Timeout)
	if failure != nil {
		return *failure, nil
	}
	if !use.control {
		return controlMissing(r.Now()), nil
	}
	gate, err := address(pod, desired.GatePortName)
	if err != nil {
		return evidence{}, err
	}
	// The gate says itself whether it serves TLS: a pod of an older revision may not yet.
	scheme := "http://"
	if before.CertificateSHA256 != "" {
		scheme = "https://"
	}
	report, err := r.Prober.Run(ctx, probe.Target{
		URL: scheme + gate + settings.Path, CertificateSHA256: before.CertificateSHA256,
		Providers: []probe.Provider{use.provider}, Policy: policyOf(server), Exact: true,
		Timeout: settings.Probe.Timeout, ClockTolerance: use.skew,
	})
	if err = errors.Join(err, ctx.Err()); err != nil {
		return evidence{}, err
	}
	result := fromReport(report, r.Now())
	if result.grade == open {
		// What lets somebody in needs no proof of who it is: it answers on a pod of ours.
		return result, nil
	}
	after, failure := r.identify(ctx, pod, use, settings.Probe.Timeout)
	switch {
	case failure != nil && result.grade == proven:
		return *failure, nil
	case failure == nil && after.Instance != before.Instance:
		return evidence{}, errors.New("the gate was restarted during the round")
	}
	return result, nil
}

// identify asks the gate's admin port who it is.
func (r *Reconciler) identify(ctx context.Context, pod corev1.Pod, use credentials, timeout time.Duration) (admin.State, *evidence) {
	out := &evidence{at: r.Now(), grade: unknown, question: "identity", expected: "the proof of the gate of this pod"}
	where, err := address(pod, desired.AdminPortName)
	if err != nil {
		out.reason, out.seen = v1alpha1.ReasonWrongPodAnswered, err.Error()
		out.message = fmt.Sprintf("It has no port %s where its gate could be asked. If it stays so, delete the pod.", desired.AdminPortName)
		return admin.State{}, out
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	state, err := (&admin.Client{HTTP: r.HTTP, Key: use.admin, Now: r.Now}).State(ctx, "http://"+where, string(pod.UID))
	if err == nil {
		return state, nil
	}
	if errors.Is(err, admin.ErrUnreachable) {
		out.reason, out.seen = v1alpha1.ReasonUnreachable, "no connection to the admin port "+where
		out.message = fmt.Sprintf("The operator has no connection to the gate's admin port %s: look at the pod, at NetworkPolicies and at the mesh, if there is one.", where)
		return admin.State{}, out
	}
	out.reason, out.seen = v1alpha1.ReasonWrongPodAnswered, "an answer without that proof"
	out.message = fmt.Sprintf("What answers on %s could not prove to be the gate of this pod, so it was sent no token. If it stays so, delete the pod.", where)
	return admin.State{}, out
}

// unchanged tells that the pod is still the one that the round began with.
func (r *Reconciler) unchanged(ctx context.Context, pod corev1.Pod) bool {
	var now corev1.Pod
	if err := r.Get(ctx, client.ObjectKeyFromObject(&pod), &now); err != nil {
		return false
	}
	return now.UID == pod.UID && instanceOf(now) == instanceOf(pod)
}

// template is the pod template of the pod's ReplicaSet. owned tells that the ReplicaSet belongs to the server's
// Deployment: anyone may give a pod our labels.
func (r *Reconciler) template(ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod) (spec corev1.PodSpec, owned bool, err error) {
	ref := metav1.GetControllerOf(&pod)
	if ref == nil || ref.Kind != "ReplicaSet" {
		return spec, false, nil
	}
	var replicaSet appsv1.ReplicaSet
	if err := r.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: ref.Name}, &replicaSet); err != nil {
		return spec, false, client.IgnoreNotFound(err)
	}
	var deployment appsv1.Deployment
	if err := r.Get(ctx, client.ObjectKeyFromObject(server), &deployment); err != nil {
		return spec, false, client.IgnoreNotFound(err)
	}
	owned = replicaSet.UID == ref.UID && metav1.IsControlledBy(&replicaSet, &deployment) && metav1.IsControlledBy(&deployment, server)
	return replicaSet.Spec.Template.Spec, owned, nil
}
