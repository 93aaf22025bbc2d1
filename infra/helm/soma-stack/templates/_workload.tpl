{{/* The pods of a service. */}}
{{- define "soma.pod" -}}
metadata:
  labels:
    {{- include "soma.selector" (dict "root" .root "service" .named) | nindent 4 }}
    {{- include "soma.component" (dict "service" .service) | nindent 4 }}
    {{- if eq (include "soma.mesh" .root) "true" }}
    sidecar.istio.io/inject: "true"
    {{- end }}
  {{- $vault := include "soma.variable" (dict "root" .root "name" "VAULT_INJECTION") }}
  {{- if or .settings.podAnnotations (eq $vault "true") }}
  annotations:
    {{- if eq $vault "true" }}
    vault.hashicorp.com/agent-inject: "true"
    vault.hashicorp.com/role: {{ .root.Release.Name }}
    {{- end }}
    {{- with .settings.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
spec:
  automountServiceAccountToken: false
  # A Service of the name gateway would give every neighbour variables of its own.
  enableServiceLinks: false
  terminationGracePeriodSeconds: 30
  securityContext: {{- include "soma.podSecurity" . | nindent 4 }}
  containers:
    - name: {{ .service }}
      image: {{ .image }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: [{{ .service }}]
      env: {{- include "soma.environment" . | trim | nindent 8 }}
      ports:
        {{- range $name := list "http" "grpc" "metrics" }}
        {{- with index $ $name }}
        - {name: {{ $name }}, containerPort: {{ . }}}
        {{- end }}
        {{- end }}
      {{- $probed := ternary "http" "metrics" (hasKey . "http") }}
      startupProbe:
        httpGet: {path: /v1/health, port: {{ $probed }}}
        periodSeconds: 1
        timeoutSeconds: 5
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /v1/health, port: {{ $probed }}}
        periodSeconds: 10
        timeoutSeconds: 5
      readinessProbe:
        httpGet: {path: /v1/ready, port: {{ $probed }}}
        periodSeconds: 2
        timeoutSeconds: 5
      securityContext: {{- include "soma.containerSecurity" . | nindent 8 }}
      resources: {{- toYaml .settings.resources | nindent 8 }}
  {{- if gt (int .settings.replicas) 1 }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "soma.selector" (dict "root" .root "service" .named) | nindent 10 }}
  {{- end }}
{{- end }}

{{- define "soma.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "soma.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* A Deployment of a service; `named` is the service, or its canary. */}}
{{- define "soma.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "soma.name" (dict "root" .root "service" .named) }}
  labels: {{- include "soma.labels" (dict "root" .root "service" .named) | nindent 4 }}
spec:
  {{- if not .settings.autoscaling.enabled }}
  replicas: {{ .settings.replicas }}
  {{- end }}
  selector:
    matchLabels: {{- include "soma.selector" (dict "root" .root "service" .named) | nindent 6 }}
  strategy:
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  template: {{- include "soma.pod" . | nindent 4 }}
{{- end }}

{{/* A Service of a service; `named` is the service, or its canary. */}}
{{- define "soma.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "soma.name" (dict "root" .root "service" .named) }}
  labels:
    {{- include "soma.labels" (dict "root" .root "service" .named) | nindent 4 }}
    soma.dev/scraped: "true"
  {{- if not .root.Values.global.PROM_OPERATOR_ENABLED }}
  annotations:
    prometheus.io/scrape: "true"
    prometheus.io/path: /metrics
    prometheus.io/port: {{ .http | default .metrics | quote }}
  {{- end }}
spec:
  selector: {{- include "soma.selector" (dict "root" .root "service" .named) | nindent 4 }}
  ports:
    {{- range $name := list "http" "grpc" "metrics" }}
    {{- with index $ $name }}
    - {name: {{ $name }}, port: {{ . }}, targetPort: {{ $name }}}
    {{- end }}
    {{- end }}
{{- end }}
