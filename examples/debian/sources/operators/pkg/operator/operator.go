// Package operator is what the operators of this repository share: each renders the manifests of its
// operands, with the images that the release gave it, and keeps applying them to the cluster.
package operator

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"sort"
	"strings"
	"syscall"
	"text/template"
	"time"
)

// Version is set when the operator is built.
var Version = "unknown"

// Main is the whole program of an operator: assets are templates of manifests, one object a file.
func Main(name string, assets fs.FS) {
	if err := run(name, assets, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(name string, assets fs.FS, arguments []string) error {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	version := flags.Bool("version", false, "print the version and end")
	render := flags.Bool("render", false, "print the manifests of the operands and end")
	once := flags.Bool("once", false, "apply the manifests once and end")
	interval := flags.Duration("interval", time.Minute, "time between two rounds")
	server := flags.String("server", "", "URL of the cluster's API, when not running in a pod")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *version {
		fmt.Println(name, Version)
		return nil
	}
	manifests, err := Render(assets, Images(os.Environ()))
	if err != nil {
		return err
	}
	if *render {
		for _, manifest := range manifests {
			fmt.Printf("---\n%s", manifest.Content)
		}
		return nil
	}
	client, err := NewClient(*server, name)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for {
		err := client.ApplyAll(ctx, manifests)
		if *once || ctx.Err() != nil {
			return err
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(*interval):
		}
	}
}

// Manifest is one rendered object and where it lives in the API.
type Manifest struct {
	Path    string
	Content []byte
}

// Images returns the pull specs that the deployment hands over as NAME_IMAGE variables, by NAME.
func Images(environment []string) map[string]string {
	images := map[string]string{}
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasSuffix(name, "_IMAGE") {
			images[strings.TrimSuffix(name, "_IMAGE")] = value
		}
	}
	return images
}

// Render fills the templates of assets. The first line of each is a comment with the object's API path.
// An image that the environment does not name is an error: an operand must never run by chance.
func Render(assets fs.FS, images map[string]string) ([]Manifest, error) {
	names, err := fs.Glob(assets, "assets/*.yaml")
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	var manifests []Manifest
	for _, name := range names {
		content, err := fs.ReadFile(assets, name)
		if err != nil {
			return nil, err
		}
		parsed, err := template.New(name).Option("missingkey=error").Parse(string(content))
		if err != nil {
			return nil, err
		}
		var rendered bytes.Buffer
		if err := parsed.Execute(&rendered, map[string]interface{}{"Images": images, "Version": Version}); err != nil {
			return nil, err
		}
		first, _, _ := strings.Cut(rendered.String(), "\n")
		path := strings.TrimSpace(strings.TrimPrefix(first, "# path:"))
		if !strings.HasPrefix(path, "/api") {
			return nil, fmt.Errorf("%s does not start with '# path: /api...'", name)
		}
		manifests = append(manifests, Manifest{Path: path, Content: rendered.Bytes()})
	}
	return manifests, nil
}
