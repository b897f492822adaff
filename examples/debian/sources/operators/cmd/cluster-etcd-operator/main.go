// The cluster-etcd-operator: keeps etcd running.
package main

import (
	"embed"

	"github.com/openshift/operators/pkg/operator"
)

//go:embed assets
var assets embed.FS

func main() {
	operator.Main("cluster-etcd-operator", assets)
}
