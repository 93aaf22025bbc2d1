{{/* The stable gateway's image.

Where an operator promotes, the Deployment itself says which version is stable: an upgrade of the
release must not take that back. Where there is no cluster to ask (helm template), it is the tag. */}}
{{- define "soma.stableImage" -}}
{{- $gateway := .Values.services.gateway -}}
{{- $given := include "soma.image" (dict "root" . "tag" $gateway.imageTag) -}}
{{- $live := dict -}}
{{- if and $gateway.canary.enabled (eq $gateway.canary.mode "operator") -}}
{{- $live = lookup "apps/v1" "Deployment" .Release.Namespace (include "soma.name" (dict "root" . "service" "gateway")) -}}
{{- end -}}
{{- if $live -}}
{{- (index $live.spec.template.spec.containers 0).image -}}
{{- else -}}
{{- $given -}}
{{- end -}}
{{- end }}

{{- define "soma.canaryImage" -}}
{{- include "soma.image" (dict "root" . "tag" .Values.services.gateway.canary.imageTag) -}}
{{- end }}

{{/* Say in a sentence what is missing. */}}
{{- define "soma.checkGateway" -}}
{{- $gateway := .Values.services.gateway -}}
{{- if and $gateway.ingress.enabled (not $gateway.ingress.host) -}}
{{- fail "services.gateway.ingress.enabled needs services.gateway.ingress.host" -}}
{{- end -}}
{{- if $gateway.istio.enabled -}}
{{- if ne (include "soma.mesh" .) "true" -}}
{{- fail "services.gateway.istio.enabled needs global.ISTIO_ENABLED" -}}
{{- end -}}
{{- if not $gateway.istio.host -}}
{{- fail "services.gateway.istio.enabled needs services.gateway.istio.host" -}}
{{- end -}}
{{- if not $gateway.istio.gateways -}}
{{- fail "services.gateway.istio.enabled needs services.gateway.istio.gateways, such as [istio-system/gateway]" -}}
{{- end -}}
{{- end -}}
{{- if $gateway.canary.enabled -}}
{{- if not (or $gateway.ingress.enabled $gateway.istio.enabled) -}}
{{- fail "services.gateway.canary.enabled needs services.gateway.ingress.enabled or services.gateway.istio.enabled: something must split the traffic" -}}
{{- end -}}
{{- if and (eq $gateway.canary.mode "operator") $gateway.ingress.enabled $gateway.istio.enabled -}}
{{- fail "services.gateway.canary.mode operator moves the traffic of one route: enable services.gateway.ingress or services.gateway.istio, not both" -}}
{{- end -}}
{{- end -}}
{{- end }}
