#!/usr/bin/env bash
# Writes the kubeconfig that a workflow was given: write-kubeconfig.sh PATH
#
# KUBE_CONFIG_B64 holds it, encoded by `base64`. What is wrong with it is said, and never shown.
set -euo pipefail

if [[ $# -ne 1 ]]; then
  echo "usage: ${0##*/} PATH" >&2
  exit 64
fi
if [[ -z ${KUBE_CONFIG_B64:-} ]]; then
  echo "the secret KUBE_CONFIG_B64 is not set: store the output of \`base64 <kubeconfig>\` in it" >&2
  exit 64
fi
umask 077
trap 'rm -f -- "$1.new"' EXIT
if ! base64 --decode <<<"$KUBE_CONFIG_B64" >"$1.new" 2>/dev/null; then
  echo "the secret KUBE_CONFIG_B64 is not base64: store the output of \`base64 <kubeconfig>\` in it" >&2
  exit 64
fi
if ! grep -q '^kind: Config' "$1.new" && ! grep -q '"kind": *"Config"' "$1.new"; then
  echo "the secret KUBE_CONFIG_B64 decodes to something that is no kubeconfig" >&2
  exit 64
fi
mv -- "$1.new" "$1"
