package operator

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

// Client applies objects by server-side apply, so that it only owns the fields it names.
type Client struct {
	server  string
	manager string
	http    *http.Client
}

// NewClient speaks to server, or to the cluster of the pod it runs in when server is empty.
func NewClient(server, manager string) (*Client, error) {
	client := &Client{server: server, manager: manager, http: &http.Client{Timeout: 30 * time.Second}}
	if server != "" {
		return client, nil
	}
	host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
	if host == "" {
		return nil, errors.New("not in a cluster: run in a pod, or name the API with --server")
	}
	authority, err := os.ReadFile(filepath.Join(serviceAccount, "ca.crt"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	client.server = fmt.Sprintf("https://%s:%s", host, port)
	client.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	return client, nil
}

// ApplyAll applies every manifest and returns all failures together.
func (c *Client) ApplyAll(ctx context.Context, manifests []Manifest) error {
	var failures []string
	for _, manifest := range manifests {
		if err := c.apply(ctx, manifest); err != nil {
			failures = append(failures, err.Error())
		}
	}
	if len(failures) > 0 {
		return errors.New(strings.Join(failures, "\n"))
	}
	return nil
}

func (c *Client) apply(ctx context.Context, manifest Manifest) error {
	query := url.Values{"fieldManager": {c.manager}, "force": {"true"}}
	address := c.server + manifest.Path + "?" + query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, address, bytes.NewReader(manifest.Content))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/apply-patch+yaml")
	if token, err := os.ReadFile(filepath.Join(serviceAccount, "token")); err == nil {
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		return fmt.Errorf("%s: %s: %s", manifest.Path, response.Status, bytes.TrimSpace(text))
	}
	return nil
}
