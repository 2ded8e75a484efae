// Package operators names the packages whose CustomResourceDefinitions ./check --cluster makes with
// controller-gen, as those projects make them themselves.
package operators

import (
	_ "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	_ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
)
