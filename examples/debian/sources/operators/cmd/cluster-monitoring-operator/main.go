// The cluster-monitoring-operator: keeps prometheus, prometheus-node-exporter, prometheus-alertmanager running.
package main

import (
	"embed"

	"github.com/openshift/operators/pkg/operator"
)

//go:embed assets
var assets embed.FS

func main() {
	operator.Main("cluster-monitoring-operator", assets)
}
