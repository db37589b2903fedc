{{/* The name that every object of this release starts with. */}}
{{- define "smallest.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of one object: <fullname>-<part>; cut with a hash where it would be too long.
     (list . part [limit]) */}}
{{- define "smallest.name" -}}
{{- $name := printf "%s-%s" (include "smallest.fullname" (index . 0)) (index . 1) -}}
{{- $limit := 63 -}}
{{- if gt (len .) 2 }}{{ $limit = index . 2 }}{{ end -}}
{{- if gt (len $name) $limit -}}
{{- printf "%s-%s" (trunc (int (sub $limit 9)) $name | trimSuffix "-") (sha256sum $name | trunc 8) -}}
{{- else -}}
{{- $name -}}
{{- end -}}
{{- end -}}

{{/* The name that peers call a service by: its own where the system has a namespace to itself.
     (list . part) */}}
{{- define "smallest.serviceName" -}}
{{- if eq (index . 0).Values.dns.scope "namespace" -}}
{{- index . 1 -}}
{{- else -}}
{{- include "smallest.name" . -}}
{{- end -}}
{{- end -}}

{{/* What every object of this release has in common. */}}
{{- define "smallest.releaseLabels" -}}
app.kubernetes.io/name: {{ .Values.nameOverride | default "smallest" | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* Labels that never change in the life of a release: selectors are made of these. (list . part) */}}
{{- define "smallest.selectorLabels" -}}
{{ include "smallest.releaseLabels" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 | quote }}
{{- end -}}

{{/* Who asked for this release; nothing where nobody said. */}}
{{- define "smallest.owner" -}}
executor: tycho
{{- with .Values.tycho.guid }}
tycho-guid: {{ include "smallest.labelValue" . }}
{{- end }}
{{- with .Values.tycho.username }}
username: {{ include "smallest.labelValue" . }}
{{- end }}
{{- end -}}

{{/* Any text, as far as a label can hold it. */}}
{{- define "smallest.labelValue" -}}
{{- regexReplaceAll "[^A-Za-z0-9_.-]" (toString .) "-" | trunc 63 | trimAll "-_." | quote -}}
{{- end -}}

{{/* Labels of every object. (list . part) */}}
{{- define "smallest.labels" -}}
{{ include "smallest.selectorLabels" . }}
{{ include "smallest.systemLabels" (index . 0) }}
{{- end -}}

{{/* Labels of an object that belongs to the whole system. */}}
{{- define "smallest.systemLabels" -}}
app.kubernetes.io/part-of: "smallest"
{{- with .Chart.AppVersion }}
app.kubernetes.io/version: {{ include "smallest.labelValue" . }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_." | quote }}
{{ include "smallest.owner" . }}
{{- end -}}

{{/* Labels of a pod: a new version of the chart must not roll it. (list . part service) */}}
{{- define "smallest.podLabels" -}}
{{- $values := (index . 0).Values -}}
{{- $service := index $values.services (index . 2) -}}
{{ include "smallest.selectorLabels" . }}
{{ include "smallest.owner" (index . 0) }}
{{- range $key, $value := merge (dict) ($service.podLabels | default dict) ($values.common.podLabels | default dict) }}
{{- if not (or (include "smallest.ours" $key) (has $key (list "executor" "tycho-guid" "username"))) }}
{{ $key | quote }}: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Whether a label or annotation is the chart's own to write: no map has a key twice. (key) */}}
{{- define "smallest.ours" -}}
{{- if and (regexMatch `^(app\.kubernetes\.io|([a-z0-9-]+\.)*(helm\.sh|tycho\.dev)|checksum)/` .) (ne . "tycho.dev/simulate") }}true{{ end -}}
{{- end -}}

{{/* Annotations of a pod: those of the values, and the labels of its services in the compose file. (list . services) */}}
{{- define "smallest.podAnnotations" -}}
{{- $values := (index . 0).Values -}}
{{- $service := index $values.services (index . 1 | first) -}}
{{- $given := merge (dict) ($service.podAnnotations | default dict) ($values.common.podAnnotations | default dict) -}}
tycho.dev/service: {{ index . 1 | first | quote }}
{{- include "smallest.annotations" (list (index . 0) (index . 1) "annotations" $given) }}
{{- range $key, $value := $given }}
{{- if not (include "smallest.ours" $key) }}
{{ $key | quote }}: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Annotations of a workload: which compose service it is, its place among them, and where the system was started. (list . services order) */}}
{{- define "smallest.workloadAnnotations" -}}
tycho.dev/service: {{ index . 1 | first | quote }}
tycho.dev/order: {{ index . 2 | quote }}
{{- with (index . 0).Values.tycho.origin }}
tycho.dev/origin: {{ toJson . | quote }}
{{- end }}
{{- include "smallest.annotations" (list (index . 0) (index . 1) "workloadAnnotations" dict) }}
{{- end -}}

{{/* The annotations of services that share a pod, but for what is given; the first service goes before the others.
     (list . services key given) */}}
{{- define "smallest.annotations" -}}
{{- $root := index . 0 -}}
{{- $found := dict -}}
{{- range index . 1 -}}
{{- $found = merge $found (index (index $root.Values.services .) (index $ 2) | default dict) -}}
{{- end -}}
{{- range $key, $value := $found }}
{{- if not (or (hasKey (index $ 3) $key) (include "smallest.ours" $key)) }}
{{ $key | quote }}: {{ include "smallest.expand" (list $root $value) | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A value that every service may override: the service's, else the common one. (list . service key) */}}
{{- define "smallest.setting" -}}
{{- $values := (index . 0).Values -}}
{{- $found := index (index $values.services (index . 1)) (index . 2) | default (index $values.common (index . 2)) -}}
{{- with $found }}{{ . | toYaml }}{{ end -}}
{{- end -}}

{{/* A list of the values that adds to what the compose file asks for; of two entries of a name the service's own.
     (list . service key) */}}
{{- define "smallest.extra" -}}
{{- $values := (index . 0).Values -}}
{{- $own := index (index $values.services (index . 1)) (index . 2) | default list -}}
{{- $names := dict -}}
{{- range $own }}{{ $_ := set $names (.name | default "") true }}{{ end -}}
{{- $found := list -}}
{{- range index $values.common (index . 2) | default list -}}
{{- if not (and .name (hasKey $names .name) (ne (index $ 2) "extraVolumeMounts")) }}{{ $found = append $found . }}{{ end -}}
{{- end -}}
{{- with concat $found $own }}{{ toYaml . }}{{ end -}}
{{- end -}}
