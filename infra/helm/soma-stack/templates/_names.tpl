{{/* Name an object: the release's name and the service's. */}}
{{- define "soma.name" -}}
{{- printf "%s-%s" .root.Release.Name .service | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/* What selects a service's pods; a canary's differ in the name alone. */}}
{{- define "soma.selector" -}}
app.kubernetes.io/name: {{ .service }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "soma.labels" -}}
{{ include "soma.selector" . }}
app.kubernetes.io/part-of: soma-stack
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* What a service's pods carry, stable or canary: peers of policies go by it. */}}
{{- define "soma.component" -}}
app.kubernetes.io/component: {{ .component | default .service }}
{{- end }}

{{- define "soma.image" -}}
{{- $tag := .tag | default .root.Values.image.tag | default .root.Chart.AppVersion -}}
{{- printf "%s:%s" .root.Values.image.repository $tag -}}
{{- end }}

{{/* A variable of the generated environment file; nothing where there is no file. */}}
{{- define "soma.variable" -}}
{{- range $line := splitList "\n" .root.Values.global.env -}}
{{- if hasPrefix (printf "%s=" $.name) $line -}}
{{- trimPrefix (printf "%s=" $.name) $line -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "soma.authMode" -}}
{{- include "soma.variable" (dict "root" . "name" "AUTH_MODE") | default .Values.auth.mode -}}
{{- end }}

{{- define "soma.authSecret" -}}
{{- .Values.auth.existingSecret | default (include "soma.name" (dict "root" . "service" "auth")) -}}
{{- end }}

{{- define "soma.databaseSecret" -}}
{{- .Values.postgres.externalSecret | default (include "soma.name" (dict "root" . "service" "postgres")) -}}
{{- end }}

{{- define "soma.redisSecret" -}}
{{- .Values.redis.externalSecret | default (include "soma.name" (dict "root" . "service" "redis")) -}}
{{- end }}

{{/* A password that stays what it is over upgrades. */}}
{{- define "soma.password" -}}
{{- $found := lookup "v1" "Secret" .root.Release.Namespace .name -}}
{{- if $found -}}
{{- index $found.data .key | b64dec -}}
{{- else -}}
{{- randAlphaNum 24 -}}
{{- end -}}
{{- end }}

{{/* "true" where a switch of the environment file is on, or the value where the file does not say. */}}
{{- define "soma.switch" -}}
{{- include "soma.variable" . | default (toString .otherwise) -}}
{{- end }}

{{- define "soma.mesh" -}}
{{- ternary "true" (include "soma.switch" (dict "root" . "name" "ISTIO_INJECTION" "otherwise" "false")) .Values.global.ISTIO_ENABLED -}}
{{- end }}
