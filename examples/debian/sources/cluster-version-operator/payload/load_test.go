package payload

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const profile = "self-managed-high-availability"
const included = "  annotations:\n    include.release.openshift.io/" + profile + ": \"true\"\n"
const references = `kind: ImageStream
metadata: {name: 4.20.1}
spec:
  tags:
  - {name: etcd, from: {kind: DockerImage, name: example.org/content@sha256:1}}
`

// write makes a payload of files, with references and metadata that fit.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	complete := map[string]string{
		"manifests/.keep":                    "",
		"release-manifests/image-references": references,
		"release-manifests/release-metadata": `{"kind": "cincinnati-metadata-v0", "version": "4.20.1"}`,
	}
	for name, content := range files {
		complete[name] = content
	}
	for name, content := range complete {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func manifest(kind, name string) string {
	return "kind: " + kind + "\nmetadata:\n  name: " + name + "\n" + included
}

func load(t *testing.T, files map[string]string) *Payload {
	t.Helper()
	loaded, err := Load(write(t, files), profile, "example.org/release@sha256:2")
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func names(loaded *Payload) string {
	var result []string
	for _, each := range loaded.Manifests {
		result = append(result, each.Name)
	}
	return strings.Join(result, " ")
}

func TestLoadOrdersOwnManifestsFirstAndThenByFileName(t *testing.T) {
	loaded := load(t, map[string]string{
		"release-manifests/0000_50_b_01.yaml": manifest("ConfigMap", "fourth"),
		"release-manifests/0000_12_c_02.yaml": manifest("ConfigMap", "third"),
		"release-manifests/0000_12_c_01.json": `{"kind": "ConfigMap", "metadata": {"name": "second", "annotations": {"include.release.openshift.io/` + profile + `": "true"}}}`,
		"manifests/0000_90_a.yml":             manifest("Namespace", "first"),
	})
	if got := names(loaded); got != "first second third fourth" || loaded.Version != "4.20.1" {
		t.Fatalf("got %s of %s", got, loaded.Version)
	}
}

func TestLoadReadsEveryDocumentOfAFile(t *testing.T) {
	file := "# a comment\n---\n" + manifest("Role", "first") + "---\n# nothing\n---\n" + manifest("Role", "second") + "---\n"
	loaded := load(t, map[string]string{"release-manifests/0000_12_a.yaml": file})
	if got := names(loaded); got != "first second" {
		t.Fatalf("got %s", got)
	}
}

func TestLoadRendersOnlyOwnManifestsAsTemplates(t *testing.T) {
	text := "data: '{{.ReleaseImage}} {{index .Images \"etcd\"}}'\n"
	loaded := load(t, map[string]string{
		"manifests/a.yaml":         manifest("ConfigMap", "own") + text,
		"release-manifests/b.yaml": manifest("ConfigMap", "other") + text,
	})
	own, other := string(loaded.Manifests[0].Content), string(loaded.Manifests[1].Content)
	if !strings.Contains(own, "example.org/release@sha256:2 example.org/content@sha256:1") {
		t.Errorf("own manifest: %s", own)
	}
	if !strings.Contains(other, "{{.ReleaseImage}}") {
		t.Errorf("other manifest: %s", other)
	}
}

func TestLoadLeavesOutWhatIsNotForTheProfile(t *testing.T) {
	annotated := func(name, annotation string) string {
		return "kind: ConfigMap\nmetadata:\n  name: " + name + "\n  annotations: {" + annotation + "}\n"
	}
	loaded := load(t, map[string]string{
		"release-manifests/a.yaml": annotated("without", ""),
		"release-manifests/b.yaml": annotated("other", `include.release.openshift.io/ibm-cloud-managed: "true"`),
		"release-manifests/c.yaml": annotated("boolean", "include.release.openshift.io/"+profile+": true"),
		"release-manifests/d.yaml": annotated("wanted", "include.release.openshift.io/"+profile+`: "true"`),
	})
	if got := names(loaded); got != "wanted" {
		t.Fatalf("got %s", got)
	}
}

func TestLoadReportsAllFaultsTogether(t *testing.T) {
	root := write(t, map[string]string{
		"manifests/a.yaml":         "kind: ConfigMap\nmetadata: {name: '{{.Unknown}}'}\n",
		"release-manifests/b.yaml": "kind: [\n",
		"release-manifests/c.yaml": "metadata: {name: nameless}\n",
	})
	_, err := Load(root, profile, "")
	if err == nil {
		t.Fatal("loaded")
	}
	for _, file := range []string{"manifests/a.yaml", "release-manifests/b.yaml", "release-manifests/c.yaml"} {
		if !strings.Contains(err.Error(), file+": ") {
			t.Errorf("%s is not in %v", file, err)
		}
	}
}

func TestLoadRefusesAPayloadWhoseVersionsDiffer(t *testing.T) {
	root := write(t, map[string]string{"release-manifests/release-metadata": `{"kind": "cincinnati-metadata-v0", "version": "4.20.2"}`})
	if _, err := Load(root, profile, ""); err == nil || !strings.Contains(err.Error(), "4.20.1") || !strings.Contains(err.Error(), "4.20.2") {
		t.Fatalf("got %v", err)
	}
}

func TestImagesSaysWhatIsNoPayload(t *testing.T) {
	if _, err := Images(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a release payload") {
		t.Fatalf("got %v", err)
	}
}
