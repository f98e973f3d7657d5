// Command release assembles a release of Gatehouse from programs that are built, and pushes its images and its chart to a
// registry. hack/release/release.sh builds the programs and calls it; docs/release.md says what a release is made of.
//
//	release build -version v0.2.0 -revision SHA -created UNIX -registry NAME -source . -programs DIR -kustomize PATH -out DIR
//	release push -from DIR -registry NAME [-plain-http]
//	release predicate provenance.json
//
// The same input gives the same bytes: every time is that of the commit, every owner and mode is fixed, every list is sorted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("want one of: build, push, predicate")
	}
	switch args[0] {
	case "build":
		return build(ctx, args[1:])
	case "push":
		return push(ctx, args[1:])
	case "predicate":
		return printPredicate(os.Stdout, args[1:])
	}
	return fmt.Errorf("no command %q; there are: build, push, predicate", args[0])
}

func build(ctx context.Context, args []string) error {
	var r release
	flags := flag.NewFlagSet("release build", flag.ContinueOnError)
	flags.StringVar(&r.version, "version", "", "the version, as its tag names it: v0.2.0")
	flags.StringVar(&r.revision, "revision", "", "the commit")
	created := flags.Int64("created", 0, "when the commit was made, in seconds since 1970")
	flags.StringVar(&r.registry, "registry", "", "registry and path below which the images are")
	flags.StringVar(&r.source, "source", ".", "the repository's root")
	flags.StringVar(&r.programs, "programs", "", "folder of the programs, each as OS_ARCH/NAME")
	flags.StringVar(&r.kustomize, "kustomize", "", "the program kustomize")
	flags.StringVar(&r.out, "out", "", "folder to write; it must not exist")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected arguments: %q", flags.Args())
	}
	for _, folder := range []*string{&r.source, &r.programs, &r.out} {
		absolute, err := filepath.Abs(*folder)
		if err != nil {
			return err
		}
		*folder = absolute
	}
	r.created = time.Unix(*created, 0).UTC()
	r.builder = builderOf(os.Getenv)
	return r.build(ctx)
}

func push(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("release push", flag.ContinueOnError)
	from := flags.String("from", "", "folder of the release")
	registry := flags.String("registry", "", "registry and path to push to")
	plainHTTP := flags.Bool("plain-http", false, "the registry speaks HTTP without TLS")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pushed, err := pushAll(ctx, *from, *registry, *plainHTTP)
	for _, name := range pushed {
		fmt.Println(name)
	}
	return err
}
