package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// rights asks the API server what the operator may do, which every caller may ask.
type rights struct {
	client authorizationclient.SelfSubjectAccessReviewInterface
}

func newRights(config *rest.Config) (rights, error) {
	client, err := authorizationclient.NewForConfig(config)
	if err != nil {
		return rights{}, fmt.Errorf("reach the cluster: %w", err)
	}
	return rights{client.SelfSubjectAccessReviews()}, nil
}

// has tells whether something is allowed: in a namespace, or without one in the cluster.
func (r rights) has(ctx context.Context, asked authorizationv1.ResourceAttributes) (bool, error) {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &asked}}
	answer, err := r.client.Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("ask the cluster what the operator may do: %w", err)
	}
	return answer.Status.Allowed, nil
}

// mayReview tells whether the operator may ask who calls for its metrics, and what that one may do.
func (r rights) mayReview(ctx context.Context) (bool, error) {
	for _, asked := range []authorizationv1.ResourceAttributes{
		{Group: "authentication.k8s.io", Resource: "tokenreviews", Verb: "create"},
		{Group: "authorization.k8s.io", Resource: "subjectaccessreviews", Verb: "create"},
	} {
		if allowed, err := r.has(ctx, asked); err != nil || !allowed {
			return false, err
		}
	}
	return true, nil
}

// split sorts namespaces by whether the operator may look after them.
func (r rights) split(ctx context.Context, namespaces []string) (open, shut []string, err error) {
	for _, namespace := range namespaces {
		allowed, err := r.has(ctx, authorizationv1.ResourceAttributes{
			Group: v1alpha1.SchemeGroupVersion.Group, Resource: "mcpservers", Verb: "list", Namespace: namespace,
		})
		if err != nil {
			return nil, nil, err
		}
		if allowed {
			open = append(open, namespace)
		} else {
			shut = append(shut, namespace)
		}
	}
	return open, shut, nil
}

// restrict takes out of the options what the operator has no right to, so that the rest works, and says so in the log. It
// gives the namespaces that it took out. Where none is left it fails.
func (r rights) restrict(ctx context.Context, o *options) (shut []string, err error) {
	if o.metricsSecure && o.metricsAddress != "0" {
		allowed, err := r.mayReview(ctx)
		if err != nil {
			return nil, err
		}
		if !allowed {
			o.metricsAddress = "0"
			ctrl.Log.Info("no metrics: the operator may not ask the cluster who calls for them. " +
				"Bind the ClusterRole metrics-auth (config/rbac) to it and restart it, or set --metrics-secure=false, or --metrics-bind-address=0 to be told no more")
		}
	}
	if len(o.watchNamespaces) == 0 {
		return nil, nil
	}
	if o.watchNamespaces, shut, err = r.split(ctx, o.watchNamespaces); err != nil {
		return nil, err
	}
	if len(o.watchNamespaces) == 0 {
		return nil, fmt.Errorf("the operator may not look after any namespace of --watch-namespaces: bind its Role (config/namespaced/watched) in %s",
			strings.Join(shut, ", "))
	}
	if len(shut) > 0 {
		ctrl.Log.Info("namespaces are left out: the operator may not list MCPServers there. "+
			"Bind its Role (config/namespaced/watched) in them; it restarts by itself when that is done", "namespaces", shut)
	}
	return shut, nil
}

// opening ends the operator when it is given the right to a namespace that it had to leave out: caches are made at the
// start, so it is to be started anew.
type opening struct {
	rights rights
	shut   []string
	// pause lies between two questions.
	pause time.Duration
}

// NeedLeaderElection tells that an operator that waits to lead does so as well.
func (opening) NeedLeaderElection() bool { return false }

// Start asks until there is such a namespace, which is an error, or until the context ends.
func (o opening) Start(ctx context.Context) error {
	ticker := time.NewTicker(o.pause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		switch opened, _, err := o.rights.split(ctx, o.shut); {
		case err != nil:
			ctrl.Log.Error(err, "look whether namespaces that were left out have been opened")
		case len(opened) > 0:
			return fmt.Errorf("the operator may now look after %s: it ends, to be started with that", strings.Join(opened, ", "))
		}
	}
}
