#!/usr/bin/env bash
# Asks for a version of a release's gateway by a GatewayCanary, and waits for the end.
#
# Read from the environment, with what stands for nothing given:
#   ENVIRONMENT (dev)       dev, prod or prod-ha: the overlay that the release has
#   TARGET (nginx)          nginx or istio: what splits the traffic
#   RELEASE_NAME (soma), NAMESPACE (default), CHART_PATH (infra/helm/soma-stack)
#   CANARY_IMAGE_TAG        the version; the chart's appVersion when not given
#   TIMEOUT (30m)           how long to wait
#
# Exit codes are those of `gatewaycanary wait`: 0 promoted, 1 rolled back, 2 invalid, 3 too late.
set -euo pipefail
cd "$(dirname "$0")/.."

environment=${ENVIRONMENT:-dev} target=${TARGET:-nginx} release=${RELEASE_NAME:-soma}
namespace=${NAMESPACE:-default} chart=${CHART_PATH:-infra/helm/soma-stack}
command -v gatewaycanary >/dev/null || PATH=$PWD/.venv/bin:$PATH
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

refuse() {
  echo "progressive-canary: $1" >&2
  exit 64
}

overlay=$(dirname "$chart")/overlays/$environment-values.yaml
[[ -f $overlay ]] || refuse "environment '$environment' is not known: dev, prod or prod-ha"
case $target in
  nginx | istio) ;;
  *) refuse "target '$target' is not known: nginx or istio" ;;
esac
helm get values "$release" --namespace "$namespace" --output yaml >"$work/values.yaml" ||
  refuse "there is no release $release in $namespace"

cp -R "$(dirname "$chart")" "$work/helm"
laid=$work/helm/$(basename "$chart")
helm dependency update "$laid" >/dev/null
options=(--values "$overlay" --values "$work/values.yaml")
options+=(--set services.gateway.canary.enabled=true,services.gateway.canary.mode=operator)
if [[ $target == nginx ]]; then
  options+=(--set services.gateway.ingress.enabled=true,services.gateway.istio.enabled=false)
else
  options+=(--set services.gateway.istio.enabled=true,services.gateway.ingress.enabled=false)
  options+=(--set global.ISTIO_ENABLED=true)
fi
[[ -z ${CANARY_IMAGE_TAG:-} ]] ||
  options+=(--set-string "services.gateway.canary.imageTag=$CANARY_IMAGE_TAG")

helm template "$release" "$laid" --namespace "$namespace" "${options[@]}" \
  --show-only templates/canary.yaml >"$work/canary.yaml"
# The release may hold the object too: who asks last is obeyed.
kubectl apply --namespace "$namespace" --server-side --force-conflicts \
  --field-manager=progressive-canary --filename "$work/canary.yaml"
exec gatewaycanary wait "$release-gateway" --namespace "$namespace" --timeout "${TIMEOUT:-30m}"
