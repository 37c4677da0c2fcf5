{{/* Prefix of the names of all objects. */}}
{{- define "upswell.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What selects pods: dict root, component. */}}
{{- define "upswell.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Labels of an object: dict root, component. */}}
{{- define "upswell.labels" -}}
{{ include "upswell.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: upswell
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Sets every key of `over` in `base`, maps key by key. Unlike sprig's merge, `false` and `0` count. A null removes. */}}
{{- define "upswell.overlay" -}}
{{- $base := .base -}}
{{- range $key, $value := .over -}}
{{- if kindIs "invalid" $value -}}
{{- $_ := unset $base $key -}}
{{- else if and (kindIs "map" $value) (kindIs "map" (get $base $key)) -}}
{{- include "upswell.overlay" (dict "base" (get $base $key) "over" $value) -}}
{{- else -}}
{{- $_ := set $base $key $value -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The services as JSON: name → everything it is given. Disabled ones are there too. */}}
{{- define "upswell.services" -}}
{{- $all := dict -}}
{{- range $name, $service := .Values.services -}}
{{- $merged := deepCopy $.Values.defaults -}}
{{- include "upswell.overlay" (dict "base" $merged "over" (default dict $service)) -}}
{{- $sqlite := eq $.Values.database.kind "sqlite" -}}
{{- $_ := set $merged "name" $name -}}
{{- $_ := set $merged "fullname" (printf "%s-%s" (include "upswell.fullname" $) $name) -}}
{{- $_ := set $merged "stateful" (or $sqlite $merged.persistence.enabled) -}}
{{- $_ := set $all $name $merged -}}
{{- end -}}
{{ toJson $all }}
{{- end -}}

{{- define "upswell.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{/* Addresses of all services as JSON: name → http://host:port. A caller spreads its calls over every address that a
name has, so services with several pods are named by their headless Service. */}}
{{- define "upswell.peers" -}}
{{- $peers := dict -}}
{{- range $name, $service := include "upswell.services" . | fromJson -}}
{{- if $service.enabled -}}
{{- $many := or $service.autoscaling.enabled (gt (int $service.replicas) 1) -}}
{{- $host := ternary (printf "%s-headless" $service.fullname) $service.fullname $many -}}
{{- if include "upswell.asks" $ -}}
{{- /* The names that certificates are for. */ -}}
{{- $_ := set $peers $name (printf "https://%s.%s.svc:%d" $host $.Release.Namespace (int $service.port)) -}}
{{- else -}}
{{- $_ := set $peers $name (printf "http://%s:%d" $host (int $service.port)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name, $address := .Values.peers -}}
{{- $_ := set $peers $name $address -}}
{{- end -}}
{{ toJson $peers }}
{{- end -}}

{{/* Not empty where callers are asked who they are. */}}
{{- define "upswell.asks" -}}
{{- if eq .Values.security.mode "callers" -}}yes{{- end -}}
{{- end -}}

{{/* What Pod Security "restricted" asks of a container, and more. */}}
{{- define "upswell.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "upswell.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ int . }}
runAsGroup: {{ int . }}
fsGroup: {{ int . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "upswell.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}
