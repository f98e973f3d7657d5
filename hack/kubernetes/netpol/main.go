// Command netpol enforces NetworkPolicies on a cluster of one node, with nftables.
//
// It exists so that tests can tell an open way from a shut one on a local cluster. It proves what policies mean, not how
// any vendor's network plugin behaves. What a policy means is told by the NetworkPolicy API's own documentation; in
// particular, a pod can always reach itself, also through its own Service, and the node can always reach its pods, so
// that the kubelet's probes get through.
//
// Deviations: IPv4 only, as the cluster is; connections that were open before a policy came are left alone (the API
// leaves that to the implementation); and a pod is unguarded for the moment between its start and the first time that
// its address is seen in its status.
//
// The files: main watches the cluster, snapshot is one moment of it, peers and ports translate the two halves of a rule,
// render puts them together as an nftables script.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// settle is how long changes are gathered before they are applied: a rolling update is a burst of them.
const settle = 50 * time.Millisecond

func main() {
	log.SetFlags(log.LstdFlags | log.Lmicroseconds)
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig of a user who may watch pods, namespaces and network policies")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, *kubeconfig); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

func run(ctx context.Context, kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	watched := informers.NewSharedInformerFactory(client, 0)
	changed := make(chan struct{}, 1)
	for _, informer := range []cache.SharedIndexInformer{
		watched.Core().V1().Pods().Informer(),
		watched.Core().V1().Namespaces().Informer(),
		watched.Networking().V1().NetworkPolicies().Informer(),
	} {
		if _, err := informer.AddEventHandler(notify(changed)); err != nil {
			return err
		}
	}
	watched.Start(ctx.Done())
	watched.WaitForCacheSync(ctx.Done())
	return follow(ctx, watched, changed)
}

// notify makes one pending mark on changed of any number of events.
func notify(changed chan<- struct{}) cache.ResourceEventHandler {
	mark := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { mark() },
		UpdateFunc: func(_, _ any) { mark() },
		DeleteFunc: func(any) { mark() },
	}
}

// follow applies the rules of each new moment until ctx ends. A failure is tried again every second.
func follow(ctx context.Context, watched informers.SharedInformerFactory, changed <-chan struct{}) error {
	applied := ""
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-again:
		}
		again = nil
		time.Sleep(settle)
		now, err := take(watched)
		if err == nil {
			if rules := now.render(); rules != applied {
				if err = apply(ctx, rules); err == nil {
					applied = rules
					log.Printf("applied %d policies to %d pods", len(now.policies), len(now.pods))
				}
			}
		}
		if err != nil {
			log.Print(err)
			again = time.After(time.Second)
		}
	}
}

// apply replaces the whole table in one transaction.
func apply(ctx context.Context, rules string) error {
	nft := exec.CommandContext(ctx, "nft", "-f", "-")
	nft.Stdin = strings.NewReader(rules)
	if out, err := nft.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s\n%s", err, out, rules)
	}
	return nil
}
