#!/usr/bin/env bash
# Deploys soma-stack and tests it; what does not pass is taken back.
#
#   MODE=prod RELEASE=soma NAMESPACE=default scripts/deploy-stack.sh
#
# Read from the environment, with what stands for nothing given:
#   MODE (dev_full)         dev_full, dev_prod, prod or prod_ha
#   RELEASE (soma), NAMESPACE (default), CHART_PATH (infra/helm/soma-stack)
#   IMAGE_TAG               the built tag (the chart's appVersion)
#   STABLE_IMAGE_TAG        what the stable gateway keeps while the canary takes another (IMAGE_TAG)
#   CANARY_ENABLED (false), CANARY_WEIGHT (10), CANARY_MODE (static), CANARY_IMAGE_TAG (IMAGE_TAG)
#   VALUES                  further files of values, separated by spaces
#   TIMEOUT (10m)           how long an upgrade, with its rollout, and the tests may take
set -euo pipefail
cd "$(dirname "$0")/.."

mode=${MODE:-dev_full} release=${RELEASE:-soma} namespace=${NAMESPACE:-default}
chart=${CHART_PATH:-infra/helm/soma-stack} timeout=${TIMEOUT:-10m}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

say() { echo "deploy-stack: $*" >&2; }
in_namespace() { helm "$@" --namespace "$namespace"; }

scripts/generate-global-env.sh "$mode" "$work/global.env"
# shellcheck source=/dev/null
source "$work/global.env"

# The parts are laid beside the chart in a copy, so that the checkout stays as it is.
cp -R "$(dirname "$chart")" "$work/helm"
laid=$work/helm/$(basename "$chart")
helm dependency update "$laid" >/dev/null
overlay=$(dirname "$chart")/overlays/$OVERLAY-values.yaml
options=(--values "$overlay" --set-file "global.env=$work/global.env")
for file in ${VALUES:-}; do options+=(--values "$file"); done
helm lint "$work/helm/outbox-sync" --quiet
helm lint "$laid" "${options[@]}" --quiet

set_tag() { [[ -z $2 ]] || options+=(--set-string "$1=$2"); }
set_tag global.MODE "$mode"
set_tag image.tag "${IMAGE_TAG:-}"
set_tag outboxSync.image.tag "${IMAGE_TAG:-}"
set_tag services.gateway.imageTag "${STABLE_IMAGE_TAG:-}"
set_tag services.gateway.canary.imageTag "${CANARY_IMAGE_TAG:-}"
set_tag services.gateway.canary.mode "${CANARY_MODE:-static}"
options+=(--set "services.gateway.canary.enabled=${CANARY_ENABLED:-false}")
options+=(--set "services.gateway.canary.weight=${CANARY_WEIGHT:-10}")

# The revision that ran well before, if there is one.
history=$(in_namespace history "$release" --output json 2>/dev/null) || history='[]'
previous=$(python3 -c '
import json, sys
good = [each["revision"] for each in json.load(sys.stdin) if each["status"] == "deployed"]
print(good[-1] if good else "")' <<<"$history")

take_back() {
  if [[ -z $previous ]]; then
    say "there is no earlier revision to go back to: $release stays as it is, for you to look at"
    return
  fi
  say "going back to revision $previous"
  if in_namespace get values "$release" --revision "$previous" --output yaml >"$work/previous.yaml" &&
    grep -q 'mode: operator' "$work/previous.yaml"; then
    # helm rollback would replay an old image over the one that was promoted since: the earlier
    # values are rendered anew instead, and the stable image stays what it is now.
    in_namespace upgrade "$release" "$laid" --values "$work/previous.yaml" --wait --timeout "$timeout"
  else
    in_namespace rollback "$release" "$previous" --wait --timeout "$timeout"
  fi
}

fail() {
  say "$1"
  take_back
  exit 1
}

say "mode $mode, overlay $OVERLAY, release $release in $namespace"
in_namespace upgrade "$release" "$laid" --install --create-namespace "${options[@]}" \
  --wait --timeout "$timeout" >"$work/upgrade" || fail "the upgrade failed"
in_namespace test "$release" --timeout "$timeout" --logs || fail "the tests failed"
say "$release is deployed and tested"
