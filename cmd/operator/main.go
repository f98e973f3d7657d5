// Command operator runs the controllers of Gatehouse.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/authprobe"
	"github.com/mcp-gatehouse/gatehouse/controllers/fallback"
	"github.com/mcp-gatehouse/gatehouse/controllers/keysource"
	"github.com/mcp-gatehouse/gatehouse/controllers/mcpserver"
	"github.com/mcp-gatehouse/gatehouse/controllers/podlogs"
	"github.com/mcp-gatehouse/gatehouse/controllers/probecredentials"
	"github.com/mcp-gatehouse/gatehouse/controllers/reporting"
	"github.com/mcp-gatehouse/gatehouse/controllers/watches"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keyobservation"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
	"github.com/mcp-gatehouse/gatehouse/internal/rollout"
)

// version is set by the linker.
var version = "dev"

// operatorLabels are those of the operator's own pods (config/manager), by which NetworkPolicies let it in.
var operatorLabels = map[string]string{"app.kubernetes.io/name": "gatehouse", "app.kubernetes.io/component": "operator"}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "operator:", err)
		os.Exit(1)
	}
}

func run() error {
	opts, err := parseOptions(flag.CommandLine, os.Args[1:], os.Getenv)
	if err != nil {
		return err
	}
	if opts.printVersion {
		fmt.Println(version)
		return nil
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&opts.log)))
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	if err := checkServerVersion(config); err != nil {
		return err
	}
	own, err := newRights(config)
	if err != nil {
		return err
	}
	stop := ctrl.SetupSignalHandler()
	shut, err := own.restrict(stop, &opts)
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(config, managerOptions(opts))
	if err != nil {
		return fmt.Errorf("set up manager: %w", err)
	}
	if err := addControllers(mgr, opts); err != nil {
		return err
	}
	if len(shut) > 0 {
		if err := mgr.Add(opening{own, shut, time.Minute}); err != nil {
			return fmt.Errorf("watch for namespaces to be opened: %w", err)
		}
	}
	ctrl.Log.Info("starting", "version", version, "gateImage", opts.gateImage, "namespaces", opts.watchNamespaces)
	return mgr.Start(stop)
}

func addControllers(mgr ctrl.Manager, opts options) error {
	recorder := mgr.GetEventRecorder("gatehouse")
	issuer, err := keysource.NewClusterIssuer(mgr.GetConfig())
	if err != nil {
		return err
	}
	var logs *podlogs.Reader
	if opts.diagnoseLogs {
		if logs, err = podlogs.NewReader(mgr.GetConfig()); err != nil {
			return err
		}
	}
	observations, publications := keyobservation.NewStore(), &publication.Store{}
	master := &keysource.ProbeMaster{
		Live: mgr.GetAPIReader(), Writer: mgr.GetClient(), Namespace: opts.namespace, Now: time.Now,
	}
	limiter := rollout.NewLimiter(opts.maxUpgrades)
	if err := limiter.Register(crmetrics.Registry); err != nil {
		return err
	}
	servers := reporting.NewMetrics()
	if err := servers.Register(crmetrics.Registry); err != nil {
		return err
	}
	if err := crmetrics.Registry.Register(newLeading(mgr.Elected())); err != nil {
		return fmt.Errorf("register the metric of the leader: %w", err)
	}
	builder := &mcpserver.Reconciler{
		KeyObservations: observations, Publications: publications, Rollout: limiter, Metrics: servers,
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Events: recorder, Now: time.Now,
		Issuer: issuer, Master: master, Logs: logs,
		Inputs: desired.Inputs{
			GateImage:         opts.gateImage,
			ClusterDomain:     opts.clusterDomain,
			OperatorNamespace: opts.namespace,
			OperatorLabels:    operatorLabels,
			ReadinessGatesOff: opts.readinessGatesOff,
		},
	}
	if err := builder.SetupWithManager(context.Background(), mgr, watches.CacheOptions(opts.watchNamespaces)); err != nil {
		return err
	}
	prober, err := authprobe.NewReconciler(mgr.GetClient(), mgr.GetAPIReader(), recorder, authprobe.Options{
		ProbeQPS: opts.probeQPS, Registry: crmetrics.Registry,
	})
	if err != nil {
		return err
	}
	prober.KeyObservations, prober.Publications, prober.Issuer, prober.Master = observations, publications, issuer, master
	prober.Account = &probecredentials.Account{Client: mgr.GetClient(), Now: time.Now, Namespace: opts.namespace, Name: opts.serviceAccount}
	if err := prober.SetupWithManager(mgr); err != nil {
		return err
	}
	if err := (&fallback.Reconciler{Client: mgr.GetClient(), Live: mgr.GetAPIReader()}).SetupWithManager(mgr); err != nil {
		return err
	}
	return addHealthChecks(mgr)
}

// addHealthChecks adds those that speak of this process only: an operator that waits to lead is well.
func addHealthChecks(mgr ctrl.Manager) error {
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("add health check: %w", err)
	}
	if err := mgr.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("add readiness check: %w", err)
	}
	return nil
}

func managerOptions(opts options) ctrl.Options {
	scheme := runtime.NewScheme()
	_ = clientgoscheme.AddToScheme(scheme)
	_ = v1alpha1.AddToScheme(scheme)
	out := ctrl.Options{
		Scheme:                        scheme,
		Cache:                         watches.CacheOptions(opts.watchNamespaces),
		Metrics:                       metricsserver.Options{BindAddress: opts.metricsAddress},
		HealthProbeBindAddress:        opts.healthAddress,
		LeaderElection:                opts.leaderElect,
		LeaderElectionID:              "operator.gatehouse.dev",
		LeaderElectionNamespace:       opts.namespace,
		LeaderElectionReleaseOnCancel: true,
		Client:                        client.Options{FieldValidation: metav1.FieldValidationStrict},
	}
	if opts.metricsSecure {
		out.Metrics.SecureServing = true
		out.Metrics.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	return out
}
