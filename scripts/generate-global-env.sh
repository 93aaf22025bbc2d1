#!/usr/bin/env bash
# Writes the one environment file that make, scripts and Helm read: generate-global-env.sh MODE PATH
#
# MODE is dev_full, dev_prod, prod or prod_ha. The same mode gives the same bytes, and where
# something is wrong nothing is written. Each line is NAME=value without quotes: `include` of make,
# `source` of a shell and the chart's global.env all take it as it is.
set -euo pipefail

if [[ $# -ne 2 ]]; then
  echo "usage: ${0##*/} dev_full|dev_prod|prod|prod_ha PATH" >&2
  exit 64
fi
mode=$1 path=$2

case $mode in
  dev_full) overlay=dev replicas=1 auth=off policy=false memory=96Mi limit=256Mi cpu=20m ;;
  dev_prod) overlay=prod replicas=1 auth=token policy=true memory=96Mi limit=256Mi cpu=20m ;;
  prod) overlay=prod replicas=2 auth=token policy=true memory=128Mi limit=256Mi cpu=50m ;;
  prod_ha) overlay=prod-ha replicas=3 auth=token policy=true memory=128Mi limit=256Mi cpu=50m ;;
  *)
    echo "mode '$mode' is not known: dev_full, dev_prod, prod or prod_ha" >&2
    exit 64
    ;;
esac

folder=$(dirname -- "$path")
if [[ -d $path ]]; then
  echo "$path is a folder: name a file" >&2
  exit 73
fi
if ! fresh=$(mktemp -- "$folder/.global-env.XXXXXX" 2>/dev/null); then
  echo "cannot write into $folder" >&2
  exit 73
fi
trap 'rm -f -- "$fresh"' EXIT

cat >"$fresh" <<END
MODE=$mode
OVERLAY=$overlay
AUTH_MODE=$auth
POLICY_ENFORCED=$policy
REPLICAS=$replicas
CPU_REQUEST=$cpu
MEMORY_REQUEST=$memory
MEMORY_LIMIT=$limit
ISTIO_INJECTION=${ISTIO_INJECTION:-false}
VAULT_INJECTION=${VAULT_INJECTION:-false}
GATEWAY_PORT=8010
DELEGATION_GATEWAY_PORT=8015
UI_PORT=8080
MEMORY_SERVICE_PORT=20017
CONVERSATION_WORKER_METRICS_PORT=9401
TOOL_EXECUTOR_METRICS_PORT=9402
DELEGATION_WORKER_METRICS_PORT=9403
MEMORY_SERVICE_METRICS_PORT=9404
OUTBOX_SYNC_METRICS_PORT=9405
SCRAPE_PATH=/metrics
SCRAPE_INTERVAL=15s
OTEL_EXPORTER_OTLP_ENDPOINT=${OTEL_EXPORTER_OTLP_ENDPOINT:-}
END
chmod 644 "$fresh"
mv -- "$fresh" "$path"
