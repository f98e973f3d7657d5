package authprobe

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/probecredentials"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
	"github.com/mcp-gatehouse/gatehouse/internal/podstate"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probebudget"
	"github.com/mcp-gatehouse/gatehouse/internal/probeplan"
)

// watchKeys asks pods, through their front doors, about the keys for which a rotation waits, until they were seen to
// accept or to refuse them. It gives the time until to ask again, 0 for never.
func (r *Reconciler) watchKeys(ctx context.Context, p *pass) (time.Duration, error) {
	r.KeyObservations.Keep(client.ObjectKeyFromObject(p.server), p.pods)
	data, err := probecredentials.SecretData(ctx, r, p.server, desired.KeysSecretName(p.server))
	if err != nil || len(data) == 0 {
		return 0, err
	}
	questions, since := keyQuestions(p.server, data, r.Now())
	if len(questions) == 0 || p.use == nil {
		return 0, nil
	}
	if watch := (keyWatch{r, p.server, *p.use}); !watch.ask(ctx, p.pods, questions) {
		return 0, nil
	}
	// A kubelet that is told to look does so within a second or two. What takes longer is asked about ever less often.
	return min(max(r.Now().Sub(since)/8, time.Second), p.settings().Probe.Interval), nil
}

// keyWatch asks the pods of a server about keys.
type keyWatch struct {
	r      *Reconciler
	server *v1alpha1.MCPServer
	use    probeplan.Credentials
}

// ask puts to every pod that answers what it was not seen to do yet, and tells whether anything is still open.
func (w keyWatch) ask(ctx context.Context, pods []corev1.Pod, questions []keyQuestion) (open bool) {
	var asked sync.WaitGroup
	var mu sync.Mutex
	for _, pod := range pods {
		if !podstate.IsAnswering(pod) {
			continue
		}
		accepts, refuses := w.r.KeyObservations.Of(client.ObjectKeyFromObject(w.server), pod.UID)
		asked.Go(func() {
			for _, q := range questions {
				if q.answered(accepts, refuses) {
					continue
				}
				var accepted, told bool
				if w.r.budget.Take(probebudget.QuickCost, w.r.Now()) == 0 {
					accepted, told = w.accepts(ctx, pod, q.key)
				}
				if told {
					w.r.KeyObservations.Add(w.server, pod.UID, q.key.ID, q.step, accepted)
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

// keyQuestion is a key that pods are asked about, at a step of its set.
type keyQuestion struct {
	key  rotation.Key
	step int64
}

// keyQuestions gives what a rotation waits for, and since when.
func keyQuestions(server *v1alpha1.MCPServer, data map[string][]byte, now time.Time) (out []keyQuestion, since time.Time) {
	if provider, managed := desired.Resolve(server).Managed(); managed {
		set, err := rotation.Decode(data[gateapi.KeysFile(provider.Name)], data[desired.RotationFile(provider.Name)], now)
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

// accepts tells whether a pod accepts tokens of a key. told is false where no answer tells. Like any token that may open
// something, these are sent to none but the gate of a pod of this server that has just proved that it is.
func (w keyWatch) accepts(ctx context.Context, pod corev1.Pod, key rotation.Key) (accepted, told bool) {
	pods := podCheck{w.r, w.r.Now}
	if against, err := pods.unfit(ctx, w.server, pod); against != nil || err != nil {
		return false, false
	}
	use, signs := w.use.OnlyManaged()
	if !signs {
		return w.lists(ctx, pod, key)
	}
	use.Controls[0].Tokens.Key, use.Controls[0].Retired = key.Private, nil
	var report probe.Report
	_, failure, err := newGateClient(w.r, w.server).hearing(ctx, pod, use, func(gate string, before admin.State) (bool, error) {
		var err error
		ask := probeplan.Question{TLS: podlock.ServesTLS(pod.Spec), Tier: probe.Quick, RequestID: use.RequestID(pod, w.r.Now), Seed: w.r.Prober.Seed()}
		report, err = w.r.Prober.Run(ctx, probeplan.Target(w.server, gate, use, before, ask))
		return false, err
	})
	if failure != nil || err != nil || !pods.unchanged(ctx, pod, "") {
		return false, false
	}
	return readControls(report)
}

// lists tells whether a gate says that it has a key loaded. It is all that there is where no good token may be sent, and
// less than an answer at the front door: a gate that lists a key and refuses its tokens is not found so.
func (w keyWatch) lists(ctx context.Context, pod corev1.Pod, key rotation.Key) (accepted, told bool) {
	provider, _ := desired.Resolve(w.server).Managed()
	state, failure := newGateClient(w.r, w.server).identify(ctx, pod, w.use)
	if failure != nil || !(podCheck{w.r, w.r.Now}).unchanged(ctx, pod, "") {
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
