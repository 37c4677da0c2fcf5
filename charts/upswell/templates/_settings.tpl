{{/* Nested values as TOML lines `a.b.c = value`: dict prefix, values. Whole numbers stay whole: the binary is strict. */}}
{{- define "upswell.toml" -}}
{{- $prefix := .prefix -}}
{{- range $key, $value := .values -}}
{{- $name := $key -}}
{{- if not (regexMatch "^[A-Za-z0-9_-]+$" $key) -}}{{- $name = toJson $key -}}{{- end -}}
{{- if $prefix -}}{{- $name = printf "%s.%s" $prefix $name -}}{{- end -}}
{{- if kindIs "map" $value -}}
{{ include "upswell.toml" (dict "prefix" $name "values" $value) }}
{{- else -}}
{{ $name }} = {{ include "upswell.tomlValue" $value }}
{{ end -}}
{{- end -}}
{{- end -}}

{{- define "upswell.tomlValue" -}}
{{- if kindIs "slice" . -}}
{{- $items := list -}}
{{- range . -}}{{- $items = append $items (include "upswell.tomlValue" .) -}}{{- end -}}
[{{ join ", " $items }}]
{{- else if kindIs "float64" . -}}
{{- if eq (floor .) . -}}{{ int64 . }}{{- else -}}{{ . }}{{- end -}}
{{- else -}}
{{ toJson . }}
{{- end -}}
{{- end -}}

{{/* The settings file of one service: dict root, service. */}}
{{- define "upswell.settings" -}}
{{- $values := .root.Values -}}
{{- $service := .service -}}
{{- $own := dict "server" (dict "listen" (printf "%s:%d" $values.listenHost (int $service.port)) "drain_ms" (mul (int $service.drainSeconds) 1000 | float64)) -}}
{{- if eq $values.database.kind "sqlite" -}}
{{- $_ := set $own "db" (dict "url" (printf "sqlite:/var/lib/upswell/%s.db" $service.name)) -}}
{{- end -}}
{{- if eq $service.name "offers" -}}
{{- $_ := set $own "channel" (dict "spool_dir" "/var/lib/upswell/spool") -}}
{{- end -}}
{{- $telemetry := dict "log_filter" $values.telemetry.logFilter "log_format" $values.telemetry.logFormat "otlp_endpoint" $values.telemetry.otlpEndpoint "service_namespace" $values.telemetry.serviceNamespace "outbox" $values.telemetry.outbox "sample_ratio" $values.telemetry.sampleRatio -}}
{{- $all := dict "telemetry" $telemetry "peers" (include "upswell.peers" .root | fromJson) $service.name $own -}}
{{- include "upswell.overlay" (dict "base" $all "over" (deepCopy $values.config)) -}}
{{- include "upswell.overlay" (dict "base" (get $all $service.name) "over" $service.config) -}}
{{ include "upswell.toml" (dict "prefix" "" "values" $all) | trim }}
{{- end -}}
