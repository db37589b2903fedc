{{/* What a container needs besides its ports and mounts. (list . service part secrets)
     secrets: which Secrets of its own it has: "env", "env-file", both or none. */}}
{{- define "smallest.container" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $common := $root.Values.common -}}
{{- $service := index $root.Values.services $name -}}
image: {{ include "smallest.expand" (list $root $service.image) | required (printf "services.%s.image is empty" $name) | quote }}
imagePullPolicy: {{ $service.pullPolicy | default $common.pullPolicy | quote }}
# Where nothing else is said, the last lines of the log tell why it ended.
terminationMessagePolicy: FallbackToLogsOnError
{{- range $field, $key := dict "command" "entrypoint" "args" "command" }}
{{- with index $service $key }}
{{- with include "smallest.words" (list $root . (printf "services.%s.%s" $name $key)) | fromJsonArray }}
{{ $field }}:
  {{- range . }}
  - {{ include "smallest.literal" . }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with include "smallest.expand" (list $root $service.workingDir) }}
workingDir: {{ . | quote }}
{{- end }}
{{- with include "smallest.env" . | trim }}
env:
  {{- . | nindent 2 }}
{{- end }}
{{- if has "env-file" (index . 3) }}
envFrom:
  - secretRef:
      name: {{ include "smallest.name" (list $root (print (index . 2) "-env-file")) | quote }}
{{- end }}
{{- with include "smallest.resources" (list $root $name) | trim }}
resources:
  {{- . | nindent 2 }}
{{- end }}
{{- with include "smallest.security" (list $root $service.securityContext) }}
securityContext:
  {{- . | nindent 2 }}
{{- end }}
{{- range $key := list "startupProbe" "readinessProbe" "livenessProbe" }}
{{- with index $service $key }}
{{ $key }}:
  {{- with .exec }}
  exec:
    command:
      {{- range .command }}
      - {{ include "smallest.word" (list $root .) }}
      {{- end }}
  {{- end }}
  {{- range $field, $value := omit . "exec" }}
  {{ $field }}: {{ toJson $value }}
  {{- end }}
{{- end }}
{{- end }}
{{- if or $service.postStart $service.preStop $service.drainSeconds }}
lifecycle:
  {{- range $key := list "postStart" "preStop" }}
  {{- with index $service $key }}
  {{ $key }}:
    exec:
      command:
        {{- range . }}
        - {{ include "smallest.expand" (list $root .) | quote }}
        {{- end }}
  {{- end }}
  {{- end }}
  {{- if and $service.drainSeconds (not $service.preStop) }}
  # Calls still come until every node knows that the pod goes.
  preStop:
    sleep:
      seconds: {{ int $service.drainSeconds }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The security context of a container: the values', or as strict as Pod Security's restricted profile asks.
     (list . own) */}}
{{- define "smallest.security" -}}
{{- $values := (index . 0).Values -}}
{{- $security := mergeOverwrite (deepCopy ($values.common.securityContext | default dict)) (deepCopy (index . 1 | default dict)) -}}
{{- if eq $values.podSecurity "restricted" -}}
{{- $capabilities := merge (dict "drop" (list "ALL")) ($security.capabilities | default dict) -}}
{{- $security = mergeOverwrite $security (dict "allowPrivilegeEscalation" false "runAsNonRoot" true "capabilities" $capabilities) -}}
{{- end -}}
{{- with $security }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{/* A container that runs before the service's own, with its environment. (list . service index part secrets) */}}
{{- define "smallest.preStart" -}}
{{- $root := index . 0 -}}
{{- $service := index $root.Values.services (index . 1) -}}
{{- $hook := index $service.preStart (index . 2) -}}
image: {{ include "smallest.expand" (list $root ($hook.image | default $service.image)) | quote }}
imagePullPolicy: {{ $service.pullPolicy | default $root.Values.common.pullPolicy | quote }}
terminationMessagePolicy: FallbackToLogsOnError
{{- if and $service.entrypoint (not $hook.image) }}
command:
  {{- range include "smallest.words" (list $root $service.entrypoint (printf "services.%s.entrypoint" (index . 1))) | fromJsonArray }}
  - {{ include "smallest.literal" . }}
  {{- end }}
{{- end }}
args:
  {{- range include "smallest.words" (list $root $hook.command (printf "services.%s.preStart" (index . 1))) | fromJsonArray }}
  - {{ include "smallest.literal" . }}
  {{- end }}
{{- with include "smallest.expand" (list $root ($hook.workingDir | default $service.workingDir)) }}
workingDir: {{ . | quote }}
{{- end }}
{{- $env := include "smallest.env" (list $root (index . 1) (index . 3) (index . 4) ($hook.environment | default dict)) | trim }}
{{- with $env }}
env:
  {{- . | nindent 2 }}
{{- end }}
{{- if has "env-file" (index . 4) }}
envFrom:
  - secretRef:
      name: {{ include "smallest.name" (list $root (print (index . 3) "-env-file")) | quote }}
{{- end }}
{{- with include "smallest.security" (list $root (mergeOverwrite (deepCopy ($service.securityContext | default dict)) ($hook.securityContext | default dict))) }}
securityContext:
  {{- . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Requests and limits. (list . service) */}}
{{- define "smallest.resources" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $resources := (index $root.Values.services $name).resources | default $root.Values.common.resources -}}
{{- range $side := list "limits" "requests" -}}
{{- $lines := list -}}
{{- range $key, $value := index ($resources | default dict) $side -}}
{{- $reader := ternary "cpus" (ternary "bytes" "int" (has $key (list "memory" "ephemeral-storage"))) (eq $key "cpu") -}}
{{- with include (print "smallest." $reader) (list $root $value (printf "services.%s.resources.%s.%s" $name $side $key) 0 9223372036854775807) -}}
{{- $lines = append $lines (printf "%s: %s" ($key | quote) (ternary . (. | quote) (eq $reader "int"))) -}}
{{- end -}}
{{- end -}}
{{- with $lines }}
{{ $side }}:
{{- range . }}
  {{ . }}
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}
