// Command mkimage writes an OCI image archive from files and folders, with nothing but the standard library: no
// container engine, no registry, no base image. The archive can be loaded by hack/cluster/load-image, `kind load
// image-archive`, `ctr images import` and `podman load`.
//
//	mkimage -name gatehouse.local/operator:dev -o operator.tar -entrypoint /operator bin/operator=/operator
//
// The same input gives the same bytes: times and owners are fixed, modes are reduced to 0755 and 0644.
//
// It knows the OCI image layout and nothing about what it packs.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// repeated is a flag that may be given more than once.
type repeated []string

func (r *repeated) String() string     { return strings.Join(*r, " ") }
func (r *repeated) Set(s string) error { *r = append(*r, s); return nil }

func main() {
	if err := run(os.Args[1:]); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "mkimage:", err)
		}
		os.Exit(2)
	}
}

func run(args []string) error {
	var (
		img                  image
		entrypoint, cmd, env repeated
	)
	flags := flag.NewFlagSet("mkimage", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), "usage: mkimage -name NAME:TAG -o ARCHIVE [flags] SOURCE=DESTINATION...\n"+
			"SOURCE is a file or a folder, DESTINATION its path in the image; an empty SOURCE makes an empty folder.\n")
		flags.PrintDefaults()
	}
	out := flags.String("o", "", "the archive to write")
	flags.StringVar(&img.name, "name", "", "the image's name with its tag, which cannot be latest")
	flags.StringVar(&img.arch, "arch", runtime.GOARCH, "the architecture that the files are built for")
	flags.StringVar(&img.config.User, "user", "", "user, or user:group, as numbers")
	flags.StringVar(&img.config.WorkingDir, "workdir", "", "working directory")
	flags.Var(&entrypoint, "entrypoint", "the program and its fixed arguments, one per flag")
	flags.Var(&cmd, "cmd", "the arguments that a pod may replace, one per flag")
	flags.Var(&env, "env", "an environment variable, NAME=VALUE; may be repeated")
	if err := flags.Parse(args); err != nil {
		return err
	}
	img.config.Entrypoint, img.config.Cmd = entrypoint, cmd
	img.config.Env = append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, env...)

	if err := checkName(img.name); err != nil {
		return err
	}
	if *out == "" || flags.NArg() == 0 {
		return errors.New("want -o ARCHIVE and at least one SOURCE=DESTINATION")
	}
	var files []mapping
	for _, arg := range flags.Args() {
		source, destination, ok := strings.Cut(arg, "=")
		if !ok || destination == "" {
			return fmt.Errorf("want SOURCE=DESTINATION, not %q", arg)
		}
		files = append(files, mapping{source, destination})
	}
	return img.write(*out, files)
}

// checkName refuses what a kubelet would try to pull although it is loaded: the pull policy of the tag latest, and of
// no tag at all, is Always.
func checkName(name string) error {
	repository, tag, ok := strings.Cut(name[strings.LastIndex(name, "/")+1:], ":")
	if repository == "" || !ok || tag == "" || tag == "latest" {
		return fmt.Errorf("image name %q: want NAME:TAG with a tag other than latest, for which a kubelet always pulls", name)
	}
	return nil
}
