{{/* Environment. What reads a variable, and what is secret by its name, is kept in a Secret of the release and only
     referred to here; the rest is plain. (list . service part secrets [more]) */}}
{{- define "smallest.env" -}}
{{- $root := index . 0 -}}
{{- $service := index $root.Values.services (index . 1) -}}
{{- $secret := list -}}
{{- $names := $service.environment | default dict | keys -}}
{{- if has "env" (index . 3) -}}
{{- $secret = include "smallest.secretNames" (list $root (index . 1)) | splitList "\n" -}}
{{- $names = concat $names (without $secret "") -}}
{{- end -}}
{{- $more := dict -}}
{{- if gt (len .) 4 }}{{ $more = index . 4 }}{{ end -}}
{{- $extra := include "smallest.extra" (list $root (index . 1) "extraEnv") -}}
{{- range $extra | fromYamlArray }}{{ $names = without $names .name }}{{ end -}}
{{- range $name := concat $names (keys $more) | uniq | sortAlpha }}
- name: {{ $name | quote }}
  {{- if hasKey $more $name }}
  value: {{ include "smallest.word" (list $root (index $more $name)) }}
  {{- else if has $name $secret }}
  valueFrom:
    secretKeyRef:
      name: {{ include "smallest.name" (list $root (print (index $ 2) "-env")) | quote }}
      key: {{ include "smallest.secretKey" $name }}
  {{- else }}
  value: {{ include "smallest.word" (list $root (index $service.environment $name)) }}
  {{- end }}
{{- end }}
{{- with $extra }}
{{ . }}
{{- end }}
{{- end -}}

{{/* The names of the variables that are kept secret, one a line. (list . service) */}}
{{- define "smallest.secretNames" -}}
{{- $env := (index . 0).Values.env | default dict -}}
{{- $service := index (index . 0).Values.services (index . 1) -}}
{{- $names := $service.secretNames | default list -}}
{{- range $service.environmentPass -}}
{{- if and (hasKey $env .) (not (kindIs "invalid" (index $env .))) }}{{ $names = append $names . }}{{ end -}}
{{- end -}}
{{- range $name, $text := $service.environment -}}
{{- $text = toString $text -}}
{{- if and (contains "$" $text) (regexMatch `\$[A-Za-z_{]` (replace "$$" "" $text)) }}{{ $names = append $names $name }}{{ end -}}
{{- end -}}
{{- join "\n" $names -}}
{{- end -}}

{{/* Data of a service's own Secret. (list . service) */}}
{{- define "smallest.secretEnv" -}}
{{- $root := index . 0 -}}
{{- $service := index $root.Values.services (index . 1) -}}
{{- $env := $root.Values.env | default dict -}}
{{- $given := $service.secretEnvironment | default dict -}}
{{- range $name := include "smallest.secretNames" . | splitList "\n" | sortAlpha }}
{{- if hasKey $given $name }}
{{ include "smallest.secretKey" $name }}: {{ include "smallest.expand" (list $root (index $given $name)) | b64enc | quote }}
{{- else if hasKey ($service.environment | default dict) $name }}
{{ include "smallest.secretKey" $name }}: {{ include "smallest.expand" (list $root (index $service.environment $name)) | b64enc | quote }}
{{- else if hasKey $env $name }}
{{ include "smallest.secretKey" $name }}: {{ include "smallest.variable" (list $env $name) | b64enc | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Data of the Secret that holds a service's env_file: `environment` goes before it. (list . service) */}}
{{- define "smallest.envFile" -}}
{{- $service := index (index . 0).Values.services (index . 1) -}}
{{- $masked := concat (keys ($service.environment | default dict)) ($service.secretNames | default list) ($service.environmentPass | default list) -}}
{{- range $name, $text := $service.envFile }}
{{- if not (has $name $masked) }}
{{ $name | quote }}: {{ include "smallest.text" $text | b64enc | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The key of a variable in a Secret: its name, where a key may be called so. */}}
{{- define "smallest.secretKey" -}}
{{- ternary . (sha256sum .) (regexMatch `^[-._a-zA-Z0-9]+$` .) | quote -}}
{{- end -}}
