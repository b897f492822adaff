package operator

import (
	"strings"
	"testing"
	"testing/fstest"
)

const namespace = "# path: /api/v1/namespaces/openshift-etcd\nkind: Namespace\n"
const workload = "# path: /apis/apps/v1/namespaces/openshift-etcd/deployments/etcd\n" +
	"image: {{ .Images.ETCD }}\nversion: {{ .Version }}\n"

func TestReadValuesTakesImagesAndTheVersionFromTheEnvironment(t *testing.T) {
	values := ReadValues([]string{"PATH=/bin", "ETCD_IMAGE=example.org/etcd@sha256:1", "RELEASE_VERSION=4.20.1"})
	if values.Version != "4.20.1" || len(values.Images) != 1 || values.Images["ETCD"] != "example.org/etcd@sha256:1" {
		t.Fatalf("got %+v", values)
	}
}

func TestReadValuesFallsBackToTheVersionOfTheProgram(t *testing.T) {
	if values := ReadValues(nil); values.Version != Version {
		t.Fatalf("got %q", values.Version)
	}
}

func TestRenderFillsAssetsInTheOrderOfTheirNames(t *testing.T) {
	assets := fstest.MapFS{
		"assets/01-etcd.yaml":      {Data: []byte(workload)},
		"assets/00-namespace.yaml": {Data: []byte(namespace)},
	}
	manifests, err := Render(assets, Values{Version: "4.20.1", Images: map[string]string{"ETCD": "example.org/etcd"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(manifests) != 2 || manifests[0].Path != "/api/v1/namespaces/openshift-etcd" {
		t.Fatalf("got %+v", manifests)
	}
	if content := string(manifests[1].Content); !strings.HasSuffix(content, "image: example.org/etcd\nversion: 4.20.1\n") {
		t.Fatalf("got %q", content)
	}
}

func TestRenderRefusesAnImageThatTheReleaseDoesNotName(t *testing.T) {
	assets := fstest.MapFS{"assets/01-etcd.yaml": {Data: []byte(workload)}}
	if _, err := Render(assets, Values{}); err == nil || !strings.Contains(err.Error(), "ETCD") {
		t.Fatalf("got %v", err)
	}
}

func TestRenderRefusesAnAssetWithoutItsPath(t *testing.T) {
	assets := fstest.MapFS{"assets/01-etcd.yaml": {Data: []byte("kind: Namespace\n")}}
	if _, err := Render(assets, Values{}); err == nil || !strings.Contains(err.Error(), "01-etcd.yaml") {
		t.Fatalf("got %v", err)
	}
}
