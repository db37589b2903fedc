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
app.kubernetes.io/name: {{ .Values.nameOverride | default "smallest" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
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
app.kubernetes.io/part-of: smallest
{{- with .Chart.AppVersion }}
app.kubernetes.io/version: {{ include "smallest.labelValue" . }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_." }}
{{ include "smallest.owner" . }}
{{- end -}}

{{/* Labels of a pod: a new version of the chart must not roll it. (list . part service) */}}
{{- define "smallest.podLabels" -}}
{{- $values := (index . 0).Values -}}
{{- $service := index $values.services (index . 2) -}}
{{ include "smallest.selectorLabels" . }}
{{ include "smallest.owner" (index . 0) }}
{{- range $key, $value := merge (dict) ($service.podLabels | default dict) ($values.common.podLabels | default dict) }}
{{ $key | quote }}: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Annotations of a pod: the compose file's labels, and those of the values. (list . service) */}}
{{- define "smallest.podAnnotations" -}}
{{- $root := index . 0 -}}
{{- $service := index $root.Values.services (index . 1) -}}
tycho.dev/service: {{ index . 1 | quote }}
{{- range $key, $value := $service.annotations }}
{{ $key | quote }}: {{ include "smallest.expand" (list $root $value) | quote }}
{{- end }}
{{- range $key, $value := merge (dict) ($service.podAnnotations | default dict) ($root.Values.common.podAnnotations | default dict) }}
{{ $key | quote }}: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Annotations of a workload: which compose service it is, and its place among them. (list . service order) */}}
{{- define "smallest.workloadAnnotations" -}}
{{- $root := index . 0 -}}
tycho.dev/service: {{ index . 1 | quote }}
tycho.dev/order: {{ index . 2 | quote }}
{{- range $key, $value := (index $root.Values.services (index . 1)).workloadAnnotations }}
{{ $key | quote }}: {{ include "smallest.expand" (list $root $value) | quote }}
{{- end }}
{{- end -}}

{{/* A value that every service may override: the service's, else the common one. (list . service key) */}}
{{- define "smallest.setting" -}}
{{- $values := (index . 0).Values -}}
{{- $found := index (index $values.services (index . 1)) (index . 2) | default (index $values.common (index . 2)) -}}
{{- with $found }}{{ . | toYaml }}{{ end -}}
{{- end -}}

{{/* A list of the values that adds to what the compose file asks for. (list . service key) */}}
{{- define "smallest.extra" -}}
{{- $values := (index . 0).Values -}}
{{- with concat (index $values.common (index . 2) | default list) (index (index $values.services (index . 1)) (index . 2) | default list) -}}
{{ toYaml . }}
{{- end -}}
{{- end -}}
