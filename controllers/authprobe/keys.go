package authprobe

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// watchKeys asks pods, through their front doors, about the keys for which a rotation waits, until they were seen to
// accept or to refuse them. It gives the time until to ask again, 0 for never.
func (r *Reconciler) watchKeys(ctx context.Context, server *v1alpha1.MCPServer, pods []corev1.Pod, use *credentials) (time.Duration, error) {
	name := client.ObjectKeyFromObject(server)
	r.Sightings.Keep(name, pods)
	data, err := r.secretData(ctx, server, desired.KeysSecretName(server))
	if err != nil || len(data) == 0 {
		return 0, err
	}
	questions, since := r.questions(server, data)
	if len(questions) == 0 || use == nil {
		return 0, nil
	}
	if !r.askPods(ctx, server, pods, questions, *use) {
		return 0, nil
	}
	// A kubelet that is told to look does so within a second or two. What takes longer is asked about ever less often.
	return min(max(r.Now().Sub(since)/8, time.Second), desired.Resolve(server).Probe.Interval), nil
}

// askPods puts to every pod that answers what it was not seen to do yet, and tells whether anything is still open.
func (r *Reconciler) askPods(ctx context.Context, server *v1alpha1.MCPServer, pods []corev1.Pod, questions []keyQuestion, use credentials) (open bool) {
	var asked sync.WaitGroup
	var mu sync.Mutex
	for _, pod := range pods {
		if !isAnswering(pod) {
			continue
		}
		accepts, refuses := r.Sightings.Of(client.ObjectKeyFromObject(server), pod.UID)
		asked.Go(func() {
			for _, q := range questions {
				if q.answered(accepts, refuses) {
					continue
				}
				var accepted, told bool
				if r.budget.take(beatCost, r.Now()) == 0 {
					accepted, told = r.askAbout(ctx, server, pod, q.key, use)
				}
				if told {
					r.Sightings.Add(server, pod.UID, q.key.ID, q.step, accepted)
				}
				mu.Lock()
				open = open || !told || accepted != q.wanted()
				mu.Unlock()
			}
		})
	}
	asked.Wait()
	return open
}

// keysSecrets lets changes of the private keys be looked at.
var keysSecrets = predicate.NewPredicateFuncs(func(secret client.Object) bool {
	return secret.GetName() == desired.KeysSecretName(&v1alpha1.MCPServer{
		ObjectMeta: metav1.ObjectMeta{Name: secret.GetLabels()[v1alpha1.LabelServer]},
	})
})

// loading is how long a pod may take to load a key that is published and signs nothing yet: a kubelet that nothing tells
// looks once in a minute or a minute and a half, at what it may keep in a cache for another minute. Until then a pod
// without it lacks nothing that a client could miss.
const loading = 3 * time.Minute

// due are the ids of the keys that a pod must have loaded by now.
func due(set rotation.Set, now time.Time) []string {
	var ids []string
	for _, key := range set.Keys {
		late := key.Phase != rotation.Published || now.Sub(key.Since) >= loading
		if late && !key.Phase.Withdrawn() {
			ids = append(ids, key.ID)
		}
	}
	return ids
}

// keyQuestion is a key that pods are asked about, at a step of its set.
type keyQuestion struct {
	key  rotation.Key
	step int64
}

// questions gives what a rotation waits for, and since when.
func (r *Reconciler) questions(server *v1alpha1.MCPServer, data map[string][]byte) (out []keyQuestion, since time.Time) {
	if provider, managed := desired.Resolve(server).Managed(); managed {
		set, err := rotation.Decode(data[authproxy.KeysFile(provider.Name)], data[desired.RotationFile(provider.Name)], r.Now())
		if err != nil {
			return nil, since // the condition KeysReady tells what is wrong with the Secret
		}
		for _, key := range set.Questions() {
			out = append(out, keyQuestion{key, set.Step})
			if key.Since.After(since) {
				since = key.Since
			}
		}
	}
	return out, since
}

// wanted is whether a pod is to accept the key.
func (q keyQuestion) wanted() bool { return !q.key.Phase.Withdrawn() }

func (q keyQuestion) answered(accepts, refuses map[string]int64) bool {
	seen := accepts
	if !q.wanted() {
		seen = refuses
	}
	step, found := seen[q.key.ID]
	return found && step >= q.key.Step
}

// askAbout tells whether a pod accepts tokens of a key. told is false where no answer tells. Like any token that may open
// something, these are sent to none but the gate of a pod of this server that has just proved that it is.
func (r *Reconciler) askAbout(ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod, key rotation.Key, use credentials) (accepted, told bool) {
	if against, err := r.unfit(ctx, server, pod); against != nil || err != nil {
		return false, false
	}
	use, signs := use.onlyManaged()
	if !signs {
		return r.readKeys(ctx, server, pod, key, use)
	}
	use.controls[0].Tokens.Key, use.controls[0].Retired = key.Private, nil
	var report probe.Report
	_, failure, err := r.hearing(ctx, server, pod, use, func(gate string, before admin.State) (bool, error) {
		var err error
		ask := question{tls: desired.ServesTLS(pod.Spec), tier: probe.Beat, requestID: use.requestID(pod, r.Now), seed: r.Prober.Seed()}
		report, err = r.Prober.Run(ctx, target(server, gate, use, before, ask))
		return false, err
	})
	if failure != nil || err != nil || !r.unchanged(ctx, pod, "") {
		return false, false
	}
	return readControls(report)
}

// readKeys tells whether a gate says that it has a key loaded. It is all that there is where no good token may be sent, and
// less than an answer at the front door: a gate that lists a key and refuses its tokens is not found so.
func (r *Reconciler) readKeys(ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod, key rotation.Key, use credentials) (accepted, told bool) {
	settings := desired.Resolve(server)
	provider, _ := settings.Managed()
	state, failure := r.identify(ctx, pod, use, settings.Probe.Timeout)
	if failure != nil || !r.unchanged(ctx, pod, "") {
		return false, false
	}
	return slices.Contains(state.Keys[provider.Name], key.ID), true
}

// readControls reads from the controls of a round whether their key is accepted, if all say the same. The server behind
// the gate may fail: that the gate has asked it is enough.
func readControls(report probe.Report) (accepted, told bool) {
	var refused bool
	for _, result := range report.Results {
		switch {
		case result.Case != probe.Valid:
		case result.Outcome == probe.Passed || strings.HasPrefix(result.Reason, "upstream_"):
			accepted = true
		case result.Reason == "unknown_key" || result.Reason == "unsupported_algorithm":
			refused = true
		default:
			return false, false
		}
	}
	return accepted, accepted != refused
}
