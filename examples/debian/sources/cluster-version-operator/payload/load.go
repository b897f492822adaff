// Package payload reads a release payload as a cluster does: the manifests of this operator first, each
// rendered as a template, then those of all others, both in the order of their file names.
package payload

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"gopkg.in/yaml.v3"
)

// Manifest is one object of the payload.
type Manifest struct {
	File      string
	Kind      string
	Namespace string
	Name      string
	Content   []byte
}

// ID names the object for people.
func (m Manifest) ID() string {
	place := m.Name
	if m.Namespace != "" {
		place = m.Namespace + "/" + m.Name
	}
	return fmt.Sprintf("%s %s (%s)", m.Kind, place, m.File)
}

// Values are what the operator's own manifests may refer to.
type Values struct {
	ReleaseImage   string
	ClusterProfile string
	Images         map[string]string
}

// Payload is a loaded release.
type Payload struct {
	Version   string
	Manifests []Manifest
}

type object struct {
	Kind     string `yaml:"kind"`
	Metadata struct {
		Name        string               `yaml:"name"`
		Namespace   string               `yaml:"namespace"`
		Annotations map[string]yaml.Node `yaml:"annotations"`
	} `yaml:"metadata"`
}

type imageStream struct {
	Metadata struct {
		Name string `yaml:"name"`
	} `yaml:"metadata"`
	Spec struct {
		Tags []struct {
			Name string `yaml:"name"`
			From struct {
				Name string `yaml:"name"`
			} `yaml:"from"`
		} `yaml:"tags"`
	} `yaml:"spec"`
}

type releaseMetadata struct {
	Kind    string `yaml:"kind"`
	Version string `yaml:"version"`
}

// Load reads the payload below root. Every fault is reported, not only the first.
func Load(root, profile, releaseImage string) (*Payload, error) {
	images, version, err := loadReferences(filepath.Join(root, "release-manifests"))
	if err != nil {
		return nil, err
	}
	values := Values{ReleaseImage: releaseImage, ClusterProfile: profile, Images: images}
	loaded := &Payload{Version: version}
	var faults []string
	for _, folder := range []string{"manifests", "release-manifests"} {
		files, err := manifestFiles(filepath.Join(root, folder))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			manifests, err := loadFile(filepath.Join(root, folder, file), folder == "manifests", values, profile)
			if err != nil {
				faults = append(faults, fmt.Sprintf("%s/%s: %v", folder, file, err))
				continue
			}
			loaded.Manifests = append(loaded.Manifests, manifests...)
		}
	}
	if len(faults) > 0 {
		return nil, errors.New(strings.Join(faults, "\n"))
	}
	return loaded, nil
}

// Images returns the pull spec of every tag of the payload below root.
func Images(root string) (map[string]string, error) {
	images, _, err := loadReferences(filepath.Join(root, "release-manifests"))
	return images, err
}

func loadReferences(folder string) (map[string]string, string, error) {
	var stream imageStream
	var metadata releaseMetadata
	for name, target := range map[string]interface{}{"image-references": &stream, "release-metadata": &metadata} {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, "", fmt.Errorf("not a release payload: %w", err)
		}
		if err := yaml.Unmarshal(content, target); err != nil {
			return nil, "", fmt.Errorf("%s: %w", name, err)
		}
	}
	if metadata.Kind != "cincinnati-metadata-v0" {
		return nil, "", fmt.Errorf("release-metadata has the kind %q", metadata.Kind)
	}
	if stream.Metadata.Name != metadata.Version {
		return nil, "", fmt.Errorf("version from image-references (%s) differs from release-metadata (%s)",
			stream.Metadata.Name, metadata.Version)
	}
	images := map[string]string{}
	for _, tag := range stream.Spec.Tags {
		images[tag.Name] = tag.From.Name
	}
	return images, metadata.Version, nil
}

func manifestFiles(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range entries {
		switch filepath.Ext(entry.Name()) {
		case ".yaml", ".yml", ".json":
			if !entry.IsDir() {
				files = append(files, entry.Name())
			}
		}
	}
	sort.Strings(files)
	return files, nil
}

func loadFile(path string, isTemplate bool, values Values, profile string) ([]Manifest, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if isTemplate {
		parsed, err := template.New(filepath.Base(path)).Option("missingkey=error").Parse(string(content))
		if err != nil {
			return nil, err
		}
		var rendered bytes.Buffer
		if err := parsed.Execute(&rendered, values); err != nil {
			return nil, err
		}
		content = rendered.Bytes()
	}
	var manifests []Manifest
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return manifests, nil
		}
		if err != nil {
			return nil, err
		}
		if isEmpty(&document) {
			continue
		}
		manifest, included, err := readObject(filepath.Base(path), &document, profile)
		if err != nil {
			return nil, err
		}
		if included {
			manifests = append(manifests, manifest)
		}
	}
}

// isEmpty tells whether there is nothing, or only a comment, between two separators.
func isEmpty(document *yaml.Node) bool {
	return len(document.Content) == 0 || document.Content[0].Tag == "!!null"
}

// readObject says as well whether the object is for clusters of this profile.
func readObject(file string, document *yaml.Node, profile string) (Manifest, bool, error) {
	var read object
	if err := document.Decode(&read); err != nil {
		return Manifest{}, false, err
	}
	if read.Kind == "" || read.Metadata.Name == "" {
		return Manifest{}, false, errors.New("an object needs kind and metadata.name")
	}
	content, err := yaml.Marshal(document)
	if err != nil {
		return Manifest{}, false, err
	}
	manifest := Manifest{
		File: file, Kind: read.Kind, Namespace: read.Metadata.Namespace, Name: read.Metadata.Name, Content: content,
	}
	annotation, found := read.Metadata.Annotations["include.release.openshift.io/"+profile]
	return manifest, found && annotation.Tag == "!!str" && annotation.Value == "true", nil
}
