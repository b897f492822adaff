package payload

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// client writes a program that stands in for kubectl. It runs body with the manifest in $manifest, in a
// folder of its own.
func client(t *testing.T, body string) (string, string) {
	t.Helper()
	folder := t.TempDir()
	path := filepath.Join(folder, "kubectl")
	script := "#!/bin/sh\ncd '" + folder + "' && manifest=$(cat) && echo \"$manifest\" >>seen\n" + body + "\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path, filepath.Join(folder, "seen")
}

func seen(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(content)), " ")
}

func payloadOf(names ...string) *Payload {
	loaded := &Payload{}
	for _, name := range names {
		loaded.Manifests = append(loaded.Manifests, Manifest{File: name + ".yaml", Kind: "Role", Name: name, Content: []byte(name)})
	}
	return loaded
}

func TestApplyBringsEveryManifestInOrder(t *testing.T) {
	kubectl, record := client(t, "exit 0")
	var log bytes.Buffer
	applier := Applier{Kubectl: kubectl, Attempts: 1, Log: &log}
	if err := applier.Apply(context.Background(), payloadOf("first", "second", "third")); err != nil {
		t.Fatal(err)
	}
	if got := seen(t, record); got != "first second third" {
		t.Errorf("got %s", got)
	}
	if !strings.HasPrefix(log.String(), "1/3 Role first (first.yaml)\n2/3 ") {
		t.Errorf("got %s", log.String())
	}
}

func TestApplyTriesAgainWhatFailed(t *testing.T) {
	kubectl, record := client(t, "test $manifest != second || test $(wc -l <seen) -ge 4")
	applier := Applier{Kubectl: kubectl, Attempts: 3, Pause: time.Millisecond, Log: &bytes.Buffer{}}
	if err := applier.Apply(context.Background(), payloadOf("first", "second", "third")); err != nil {
		t.Fatal(err)
	}
	if got := seen(t, record); got != "first second second second third" {
		t.Errorf("got %s", got)
	}
}

func TestApplyStopsAtWhatCannotBeApplied(t *testing.T) {
	kubectl, record := client(t, "test $manifest = first || { echo it is refused >&2; exit 1; }")
	applier := Applier{Kubectl: kubectl, Attempts: 2, Pause: time.Millisecond, Log: &bytes.Buffer{}}
	err := applier.Apply(context.Background(), payloadOf("first", "second", "third"))
	if err == nil || !strings.Contains(err.Error(), "second.yaml") || !strings.Contains(err.Error(), "it is refused") {
		t.Errorf("got %v", err)
	}
	if got := seen(t, record); got != "first second second" {
		t.Errorf("got %s", got)
	}
}

func TestApplyEndsWhenItIsTold(t *testing.T) {
	kubectl, _ := client(t, "exit 1")
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	applier := Applier{Kubectl: kubectl, Attempts: 2, Pause: time.Hour, Log: &bytes.Buffer{}}
	if err := applier.Apply(ctx, payloadOf("first")); err == nil || ctx.Err() == nil {
		t.Fatalf("got %v", err)
	}
}
