{{/* Every service: what it is told to be, the ports it listens on, what it needs. */}}
{{- define "soma.services" -}}
gateway:
  values: gateway
  http: 8010
  needs: [database, auth]
conversation-worker:
  values: conversationWorker
  metrics: 9401
  needs: [database, redis, memory]
tool-executor:
  values: toolExecutor
  metrics: 9402
  needs: [redis]
delegation-gateway:
  values: delegationGateway
  http: 8015
  needs: [database, auth]
delegation-worker:
  values: delegationWorker
  metrics: 9403
  needs: [database, redis]
memory-service:
  values: memoryService
  grpc: 20017
  metrics: 9404
  needs: [database]
ui:
  values: ui
  http: 8080
  needs: [gateway]
{{- end }}

{{/* A service's values: its own over the defaults, the environment file's over both. */}}
{{- define "soma.values" -}}
{{- $own := index .root.Values.services .values | deepCopy -}}
{{- $merged := mergeOverwrite (deepCopy .root.Values.defaults) $own -}}
{{- $replicas := include "soma.variable" (dict "root" .root "name" "REPLICAS") -}}
{{- if $replicas -}}
{{- $_ := set $merged "replicas" (int $replicas) -}}
{{- $_ := set $merged.autoscaling "minReplicas" (int $replicas) -}}
{{- end -}}
{{- range $kind, $keys := dict
  "requests" (dict "cpu" "CPU_REQUEST" "memory" "MEMORY_REQUEST")
  "limits" (dict "cpu" "CPU_LIMIT" "memory" "MEMORY_LIMIT") -}}
{{- range $what, $name := $keys -}}
{{- $given := include "soma.variable" (dict "root" $.root "name" $name) -}}
{{- if $given -}}
{{- $_ := set $merged.resources $kind (set (index $merged.resources $kind | default dict) $what $given) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $merged -}}
{{- end }}

{{/* The variables that a service is told. */}}
{{- define "soma.environment" -}}
{{- $secret := dict
  "database" (list "SOMA_DATABASE_URL" (include "soma.databaseSecret" .root) "url")
  "redis" (list "SOMA_REDIS_URL" (include "soma.redisSecret" .root) "url") }}
{{- range .needs }}
{{- with index $secret . }}
- name: {{ index . 0 }}
  valueFrom: {secretKeyRef: {name: {{ index . 1 }}, key: {{ index . 2 }}}}
{{- end }}
{{- end }}
{{- if has "memory" .needs }}
- name: SOMA_MEMORY_ADDRESS
  value: {{ include "soma.name" (dict "root" .root "service" "memory-service") }}:20017
{{- end }}
{{- if has "gateway" .needs }}
- name: SOMA_GATEWAY_URL
  value: http://{{ include "soma.name" (dict "root" .root "service" "gateway") }}:8010
{{- end }}
{{- if or (has "auth" .needs) (has "gateway" .needs) }}
- name: SOMA_AUTH_MODE
  value: {{ include "soma.authMode" .root | quote }}
{{- if eq (include "soma.authMode" .root) "token" }}
- name: SOMA_AUTH_TOKEN
  valueFrom: {secretKeyRef: {name: {{ include "soma.authSecret" .root }}, key: token}}
{{- end }}
{{- end }}
{{- range $name, $value := .settings.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
