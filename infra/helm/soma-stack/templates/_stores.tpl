{{/* One pod with its data, for a store that runs in this release: a Secret, a Service, a StatefulSet. */}}
{{- define "soma.store" -}}
{{- $name := include "soma.name" (dict "root" .root "service" .service) }}
{{- $selector := include "soma.selector" (dict "root" .root "service" .service) }}
{{- $password := include "soma.password" (dict "root" .root "name" $name "key" "password") }}
apiVersion: v1
kind: Secret
metadata:
  name: {{ $name }}
  labels: {{- include "soma.labels" (dict "root" .root "service" .service) | nindent 4 }}
stringData:
  password: {{ $password | quote }}
  url: {{ printf .url $password $name | quote }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  labels: {{- include "soma.labels" (dict "root" .root "service" .service) | nindent 4 }}
spec:
  selector: {{- $selector | nindent 4 }}
  ports:
    - {name: {{ .service }}, port: {{ .port }}, targetPort: store}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ $name }}
  labels: {{- include "soma.labels" (dict "root" .root "service" .service) | nindent 4 }}
spec:
  serviceName: {{ $name }}
  replicas: 1
  selector:
    matchLabels: {{- $selector | nindent 6 }}
  template:
    metadata:
      labels:
        {{- $selector | nindent 8 }}
        {{- include "soma.component" (dict "service" .service) | nindent 8 }}
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 30
      securityContext:
        {{- include "soma.podSecurity" . | nindent 8 }}
      containers:
        - name: {{ .service }}
          image: {{ .values.image.repository }}:{{ .values.image.tag }}
          imagePullPolicy: IfNotPresent
          {{- with .command }}
          command: {{- toYaml . | nindent 12 }}
          {{- end }}
          env: {{- tpl .env (dict "secret" $name "Template" .root.Template) | nindent 12 }}
          ports:
            - {name: store, containerPort: {{ .port }}}
          readinessProbe:
            exec: {command: {{ toJson .probe }}}
            periodSeconds: 2
            timeoutSeconds: 5
          securityContext: {{- include "soma.containerSecurity" . | nindent 12 }}
          resources: {{- toYaml .values.resources | nindent 12 }}
          volumeMounts:
            - {name: data, mountPath: {{ .data }}}
            - {name: run, mountPath: {{ .run }}}
            - {name: tmp, mountPath: /tmp}
      volumes:
        - {name: run, emptyDir: {}}
        - {name: tmp, emptyDir: {}}
        {{- if not .values.persistence.enabled }}
        - {name: data, emptyDir: {}}
        {{- end }}
  {{- if .values.persistence.enabled }}
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: [ReadWriteOnce]
        {{- with .values.persistence.storageClassName }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests: {storage: {{ .values.persistence.size }}}
  {{- end }}
{{- end }}
