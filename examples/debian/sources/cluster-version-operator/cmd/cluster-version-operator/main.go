// The cluster-version-operator of the debian stream: applies the payload it was shipped in.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/openshift/cluster-version-operator/payload"
)

const usage = `usage: cluster-version-operator COMMAND [FLAGS]

  start       apply the payload, again and again
  apply       apply the payload once
  render      print the manifests in the order in which they are applied
  image NAME  print the pull spec of an image of the payload
  version     print the version of the payload
`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 0 || arguments[0] == "--help" {
		fmt.Print(usage)
		return nil
	}
	flags := flag.NewFlagSet(arguments[0], flag.ContinueOnError)
	root := flags.String("payload-dir", "/", "folder with manifests and release-manifests")
	profile := flags.String("cluster-profile", "self-managed-high-availability", "which manifests are for this cluster")
	image := flags.String("release-image", os.Getenv("RELEASE_IMAGE"), "pull spec of the running release")
	kubectl := flags.String("kubectl", "kubectl", "the client program")
	attempts := flags.Int("attempts", 10, "how often one manifest is tried")
	pause := flags.Duration("pause", time.Second, "time between two attempts")
	interval := flags.Duration("interval", 2*time.Minute, "time between two rounds of start")
	rest := arguments[1:]
	var name string
	if arguments[0] == "image" && len(rest) > 0 {
		name, rest = rest[0], rest[1:]
	}
	if err := flags.Parse(rest); err != nil {
		return err
	}
	if arguments[0] == "image" {
		return printImage(*root, name)
	}

	loaded, err := payload.Load(*root, *profile, *image)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	applier := payload.Applier{Kubectl: *kubectl, Attempts: *attempts, Pause: *pause, Log: os.Stdout}
	switch arguments[0] {
	case "version", "--version":
		fmt.Println("cluster-version-operator", loaded.Version)
		return nil
	case "render":
		for _, manifest := range loaded.Manifests {
			fmt.Printf("# %s\n---\n%s", manifest.ID(), manifest.Content)
		}
		return nil
	case "apply":
		return applier.Apply(ctx, loaded)
	case "start":
		return repeat(ctx, *interval, func() error { return applier.Apply(ctx, loaded) })
	default:
		return fmt.Errorf("unknown command %q\n%s", arguments[0], usage)
	}
}

func printImage(root, name string) error {
	images, err := payload.Images(root)
	if err != nil {
		return err
	}
	reference, found := images[name]
	if !found {
		return fmt.Errorf("no image tag %q exists in the release", name)
	}
	fmt.Println(reference)
	return nil
}

func repeat(ctx context.Context, interval time.Duration, work func() error) error {
	for {
		if err := work(); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "error:", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(interval):
		}
	}
}
