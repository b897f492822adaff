// The cluster-image-registry-operator: keeps docker-registry running.
package main

import (
	"embed"

	"github.com/openshift/operators/pkg/operator"
)

//go:embed assets
var assets embed.FS

func main() {
	operator.Main("cluster-image-registry-operator", assets)
}
