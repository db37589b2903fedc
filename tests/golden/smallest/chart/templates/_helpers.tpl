{{/* What every object's name starts with: no dots, as a Service has none; a long one is cut for the longest suffix. */}}
{{- define "smallest.fullname" -}}
{{- $name := .Values.fullnameOverride | default .Release.Name | replace "." "-" -}}
{{- gt (len $name) 47 | ternary (printf "%s-%s" (trunc 38 $name) (sha256sum $name | trunc 8)) $name -}}
{{- end -}}

{{/* The name that peers call a service by. (dict "service" … "context" $) */}}
{{- define "smallest.serviceName" -}}
{{- if eq .context.Values.dns.scope "release" }}{{ include "smallest.fullname" .context }}-{{ end }}{{ .service -}}
{{- end -}}

{{/* What selects pods: never changes. (dict "component" … "context" $) */}}
{{- define "smallest.selectorLabels" -}}
app.kubernetes.io/name: {{ .context.Values.nameOverride | default "smallest" | quote }}
app.kubernetes.io/instance: {{ .context.Release.Name | quote }}
app.kubernetes.io/component: {{ .component | quote }}
{{- end -}}

{{/* Labels of pods: "own" before commonLabels before "labels". (dict "component" … "own" … "labels" … "context" $) */}}
{{- define "smallest.podLabels" -}}
{{- include "smallest.selectorLabels" . }}
executor: tycho
{{- range $name, $value := omit (merge dict (.own | default dict) .context.Values.commonLabels (.labels | default dict)) "executor" "app.kubernetes.io/name"
  "app.kubernetes.io/instance" "app.kubernetes.io/component" }}{{ printf "\n%q: %s" $name (quote $value) }}{{ end -}}
{{- end -}}

{{/* Labels of everything else, the chart's version among them: on pods it would roll them. (dict "component" … "context" $) */}}
{{- define "smallest.labels" -}}
{{- $chart := printf "smallest-%s" .context.Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_." -}}
{{- $own := dict "app.kubernetes.io/part-of" "smallest" "app.kubernetes.io/version" .context.Chart.AppVersion
  "app.kubernetes.io/managed-by" .context.Release.Service "helm.sh/chart" $chart -}}
{{- include "smallest.podLabels" (dict "component" .component "own" $own "context" .context) -}}
{{- end -}}

{{/* An image; global.imageRegistry stands in the place of its registry. (dict "image" … "context" $) */}}
{{- define "smallest.image" -}}
{{- $image := .image.reference | default .image.repository -}}
{{- with .context.Values.global.imageRegistry }}{{ $image = printf "%s/%s" . (regexReplaceAll `^[^/]*[.:][^/]*/` $image "") }}{{ end -}}
{{- $image }}{{ with .image.tag }}:{{ kindIs "string" . | ternary . (toJson .) }}{{ end }}{{ with .image.digest }}@{{ . }}{{ end }}
{{- end -}}

{{/* A container's securityContext, as strict as podSecurity says. (dict "own" … "context" $) */}}
{{- define "smallest.securityContext" -}}
{{- $strict := dict "allowPrivilegeEscalation" false "runAsNonRoot" true "capabilities" (dict "drop" (list "ALL")) -}}
{{- with eq .context.Values.podSecurity "restricted" | ternary (mergeOverwrite (.own | default dict | deepCopy) $strict) .own }}{{ toJson . }}{{ end -}}
{{- end -}}
