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

// Version is that of the program, set when it is built. Operands have the version of the release.
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
	manifests, err := Render(assets, ReadValues(os.Environ()))
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

// Values are what the release says to an operator through the environment of its deployment, and
// what templates may refer to.
type Values struct {
	Version string
	Images  map[string]string
}

// ReadValues takes the version from RELEASE_VERSION and the image X from X_IMAGE.
func ReadValues(environment []string) Values {
	values := Values{Version: Version, Images: map[string]string{}}
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		if name == "RELEASE_VERSION" {
			values.Version = value
		}
		if strings.HasSuffix(name, "_IMAGE") {
			values.Images[strings.TrimSuffix(name, "_IMAGE")] = value
		}
	}
	return values
}

// Render fills the templates of assets. The first line of each is a comment with the object's API path.
// An image that the environment does not name is an error: an operand must never run by chance.
func Render(assets fs.FS, values Values) ([]Manifest, error) {
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
		if err := parsed.Execute(&rendered, values); err != nil {
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
