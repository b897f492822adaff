// The cluster-ingress-operator: keeps haproxy-router, keepalived-ipfailover running.
package main

import (
	"embed"

	"github.com/openshift/operators/pkg/operator"
)

//go:embed assets
var assets embed.FS

func main() {
	operator.Main("cluster-ingress-operator", assets)
}
