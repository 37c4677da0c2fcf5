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

{{/* Who is who, as JSON: dict root, service. Every service is known by the name of its Service, the test by its own. */}}
{{- define "upswell.security" -}}
{{- $root := .root -}}
{{- $known := dict (printf "%s-check.%s.svc" (include "upswell.fullname" $root) $root.Release.Namespace) (list "ingest" "analyst") -}}
{{- range $name, $service := include "upswell.services" $root | fromJson -}}
{{- $_ := set $known (printf "%s.%s.svc" $service.fullname $root.Release.Namespace) (list (printf "service:%s" $name)) -}}
{{- end -}}
{{- range $name, $roles := $root.Values.security.certificates -}}
{{- $_ := set $known $name $roles -}}
{{- end -}}
{{- $security := dict "tls" (include "upswell.tlsFiles" $root | fromJson) "certificates" $known "issuers" $root.Values.security.issuers -}}
{{- $_ := set $security "health_listen" (printf "%s:%d" $root.Values.listenHost (int .service.healthPort)) -}}
{{ toJson $security }}
{{- end -}}

{{- define "upswell.tlsFiles" -}}
{{ dict "cert_file" "/etc/upswell-tls/tls.crt" "key_file" "/etc/upswell-tls/tls.key" "ca_file" "/etc/upswell-tls/ca.crt" | toJson }}
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
{{- $security := dict "insecure" true -}}
{{- if include "upswell.asks" .root -}}
{{- $security = include "upswell.security" . | fromJson -}}
{{- end -}}
{{- $all := dict "security" $security "telemetry" $telemetry "peers" (include "upswell.peers" .root | fromJson) $service.name $own -}}
{{- include "upswell.overlay" (dict "base" $all "over" (deepCopy $values.config)) -}}
{{- include "upswell.overlay" (dict "base" (get $all $service.name) "over" $service.config) -}}
{{ include "upswell.toml" (dict "prefix" "" "values" $all) | trim }}
{{- end -}}
