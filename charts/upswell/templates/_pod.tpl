{{/* The pod of one service: dict root, service. */}}
{{- define "upswell.pod" -}}
{{- $root := .root -}}
{{- $service := .service -}}
{{- $sqlite := eq $root.Values.database.kind "sqlite" -}}
metadata:
  labels:
    {{- include "upswell.selector" (dict "root" $root "component" $service.name) | nindent 4 }}
    app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
    app.kubernetes.io/part-of: upswell
    {{- with $root.Values.commonLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with $service.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "upswell.settings" . | sha256sum }}
    {{- with $service.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- with include "upswell.pullSecrets" $root }}
  {{- . | trim | nindent 2 }}
  {{- end }}
  serviceAccountName: {{ $service.fullname }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ int $service.terminationGracePeriodSeconds }}
  securityContext: {{- include "upswell.podSecurity" $service.runAsUser | nindent 4 }}
  {{- with $service.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- if $sqlite }}
  initContainers:
    # Embedded files have one owner, so their schema is brought up to date by the pod that owns them.
    - name: migrate
      {{- include "upswell.program" (dict "root" $root "service" $service "arguments" (list "migrate" $service.name)) | nindent 6 }}
  {{- end }}
  containers:
    - name: {{ $service.name }}
      {{- include "upswell.program" (dict "root" $root "service" $service "arguments" (list "serve" $service.name)) | nindent 6 }}
      ports:
        - {name: grpc, containerPort: {{ int $service.port }}, protocol: TCP}
        {{- if include "upswell.asks" $root }}
        - {name: health, containerPort: {{ int $service.healthPort }}, protocol: TCP}
        {{- end }}
      startupProbe:
        {{- include "upswell.probe" (dict "root" $root "service" $service "answers" "liveness" "failures" $service.probes.startupFailures) | nindent 8 }}
      readinessProbe:
        {{- include "upswell.probe" (dict "root" $root "service" $service "answers" "readiness" "failures" $service.probes.readinessFailures) | nindent 8 }}
      livenessProbe:
        {{- include "upswell.probe" (dict "root" $root "service" $service "answers" "liveness" "failures" $service.probes.livenessFailures) | nindent 8 }}
      {{- if gt (int $service.preStopSeconds) 0 }}
      lifecycle:
        # Time for every client to hear that the pod has left; the listener closes at SIGTERM.
        preStop: {sleep: {seconds: {{ int $service.preStopSeconds }}}}
      {{- end }}
  volumes:
    - name: settings
      configMap: {name: {{ $service.fullname }}}
    - name: tmp
      emptyDir: {}
    {{- if include "upswell.asks" $root }}
    - name: tls
      secret: {secretName: {{ $service.tls.existingSecret }}, defaultMode: 0440}
    {{- with $root.Values.security.jwksConfigMap }}
    - name: jwks
      configMap: {name: {{ . }}}
    {{- end }}
    {{- end }}
  {{- if $service.topologySpread.enabled }}
  topologySpreadConstraints:
    {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ $key }}
      whenUnsatisfiable: {{ $service.topologySpread.whenUnsatisfiable }}
      labelSelector:
        matchLabels: {{- include "upswell.selector" (dict "root" $root "component" $service.name) | nindent 10 }}
      {{- if not $service.stateful }}
      matchLabelKeys: [pod-template-hash]
      {{- end }}
    {{- end }}
  {{- end }}
  {{- with $service.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $service.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $service.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The binary in a container: dict root, service, arguments. */}}
{{- define "upswell.program" -}}
{{- $service := .service -}}
image: {{ include "upswell.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: {{ concat .arguments (list "--config" "/etc/upswell/upswell.toml") | toJson }}
env:
  - name: POD_NAME
    valueFrom: {fieldRef: {fieldPath: metadata.name}}
  - name: POD_UID
    valueFrom: {fieldRef: {fieldPath: metadata.uid}}
  - name: NODE_NAME
    valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
  - name: OTEL_RESOURCE_ATTRIBUTES
    value: service.instance.id=$(POD_UID),k8s.namespace.name={{ .root.Release.Namespace }},k8s.pod.name=$(POD_NAME),k8s.pod.uid=$(POD_UID),k8s.node.name=$(NODE_NAME),k8s.container.name={{ $service.name }}
  {{- with include "upswell.databaseUrl" . }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $service.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
securityContext: {{- include "upswell.containerSecurity" . | nindent 2 }}
resources: {{- toYaml $service.resources | nindent 2 }}
volumeMounts:
  - {name: settings, mountPath: /etc/upswell, readOnly: true}
  - {name: tmp, mountPath: /tmp}
  {{- if include "upswell.asks" .root }}
  - {name: tls, mountPath: /etc/upswell-tls, readOnly: true}
  {{- if .root.Values.security.jwksConfigMap }}
  - {name: jwks, mountPath: /etc/upswell-jwks, readOnly: true}
  {{- end }}
  {{- end }}
  {{- if $service.stateful }}
  - {name: data, mountPath: /var/lib/upswell}
  {{- end }}
{{- end -}}

{{/* The connection URL, from the service's own Secret: dict root, service. */}}
{{- define "upswell.databaseUrl" -}}
{{- if eq .root.Values.database.kind "postgres" -}}
- name: UPSWELL__{{ upper .service.name }}__DB__URL
  valueFrom: {secretKeyRef: {name: {{ .service.database.existingSecret }}, key: {{ .service.database.key }}}}
{{- end -}}
{{- end -}}

{{/* The kubelet asks gRPC health by name, in the clear: dict root, service, answers, failures. */}}
{{- define "upswell.probe" -}}
grpc: {port: {{ int (ternary .service.healthPort .service.port (eq .root.Values.security.mode "callers")) }}, service: {{ .answers }}}
periodSeconds: {{ int .service.probes.periodSeconds }}
timeoutSeconds: {{ int .service.probes.timeoutSeconds }}
failureThreshold: {{ int .failures }}
{{- end -}}
