// The machine-config-operator: keeps machine-os-content running.
package main

import (
	"embed"

	"github.com/openshift/operators/pkg/operator"
)

//go:embed assets
var assets embed.FS

func main() {
	operator.Main("machine-config-operator", assets)
}
