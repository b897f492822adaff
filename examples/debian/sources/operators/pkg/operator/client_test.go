package operator

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestApplyAllPatchesEachObjectInOrder(t *testing.T) {
	var requests []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests = append(requests, strings.Join([]string{r.Method, r.URL.String(), r.Header.Get("Content-Type"), string(body)}, " "))
	}))
	defer server.Close()
	client, err := NewClient(server.URL, "etcd-operator")
	if err != nil {
		t.Fatal(err)
	}
	manifests := []Manifest{{Path: "/first", Content: []byte("one")}, {Path: "/second", Content: []byte("two")}}
	if err := client.ApplyAll(context.Background(), manifests); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"PATCH /first?fieldManager=etcd-operator&force=true application/apply-patch+yaml one",
		"PATCH /second?fieldManager=etcd-operator&force=true application/apply-patch+yaml two",
	}
	if strings.Join(requests, "\n") != strings.Join(want, "\n") {
		t.Fatalf("got %q", requests)
	}
}

func TestApplyAllGoesOnAfterAFailureAndReportsAll(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/good" {
			http.Error(w, "refused", http.StatusForbidden)
		}
	}))
	defer server.Close()
	client, err := NewClient(server.URL, "etcd-operator")
	if err != nil {
		t.Fatal(err)
	}
	err = client.ApplyAll(context.Background(), []Manifest{{Path: "/first"}, {Path: "/good"}, {Path: "/last"}})
	if err == nil || !strings.Contains(err.Error(), "/first: 403 Forbidden: refused") ||
		!strings.Contains(err.Error(), "/last") || strings.Contains(err.Error(), "/good") {
		t.Fatalf("got %v", err)
	}
}

func TestNewClientSaysWhatToDoOutsideOfACluster(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	if _, err := NewClient("", "etcd-operator"); err == nil || !strings.Contains(err.Error(), "--server") {
		t.Fatalf("got %v", err)
	}
}
