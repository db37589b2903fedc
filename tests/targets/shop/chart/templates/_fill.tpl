{{/* Whether new volumes get what images have at their paths: not where a pod cannot mount an image, or run as root. */}}
{{- define "shop.fillsFromImage" -}}
{{- $fill := .Values.fill -}}
{{- if and $fill.fromImage (ne .Values.podSecurity "restricted") (semverCompare (printf ">=%s-0" $fill.since) .Capabilities.KubeVersion.Version) }}true{{ end -}}
{{- end -}}

{{/* An init container that fills the volumes of a service; nothing where there is nothing to do. A step has a verb, a
     volume, and as needed a claim, a base (its folder), a source (the volume that is copied) and a path.
     (dict "name" … "security" … "steps" (list …) "context" $) */}}
{{- define "shop.fill" -}}
{{- $values := .context.Values -}}
{{- $fromImage := include "shop.fillsFromImage" .context -}}
{{- $owner := "" -}}
{{- if hasKey .security "runAsUser" }}{{ $owner = int64 .security.runAsUser | toString }}{{ end -}}
{{- if hasKey .security "runAsGroup" }}{{ $owner = int64 .security.runAsGroup | printf "%s:%d" $owner }}{{ end -}}
{{- $words := list $owner -}}
{{- $volumes := list -}}
{{- $sources := list -}}
{{- range .steps -}}
{{- $base := .base | default "" -}}
{{- if .claim }}{{ $base = include "shop.claimPath" (dict "claim" .claim) }}{{ end -}}
{{- $source := .source | default "" -}}
{{- if and (or $base (not .claim)) (or $fromImage (not (has .verb (list "content" "owner" "new")))) -}}
{{- $words = concat $words (list .verb (print "/fill/" .volume) $base (print "/from/" $source) (.path | default "")) -}}
{{- $volumes = append $volumes .volume | uniq -}}
{{- if $source }}{{ $sources = append $sources $source | uniq }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if $volumes -}}
- name: {{ .name }}
  image: {{ include "shop.image" (dict "image" $values.tools.image "context" .context) | quote }}
  imagePullPolicy: {{ $values.defaults.image.pullPolicy }}
  terminationMessagePolicy: FallbackToLogsOnError
  command: [/bin/sh, -eu, /tycho/fill.sh]
  # The owner of what is copied; and five words for each thing to do.
  args:
    {{- range $words }}
    - {{ . | replace "$" "$$" | quote }}
    {{- end }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    {{- if eq $values.podSecurity "restricted" }}
    capabilities: {drop: [ALL]}
    runAsNonRoot: true
    runAsUser: {{ regexFind `^[0-9]+` $owner | default "65532" }}
    {{- else }}
    capabilities: {drop: [ALL], add: [CHOWN, DAC_OVERRIDE, FOWNER, FSETID]}  # to give files their owners
    runAsNonRoot: false
    runAsUser: 0
    runAsGroup: 0
    {{- end }}
  resources: {{ toJson $values.tools.resources }}
  volumeMounts:
    - {name: tycho-fill, mountPath: /tycho, readOnly: true}
    {{- range $volumes }}
    - {name: {{ . | quote }}, mountPath: {{ print "/fill/" . | quote }}}
    {{- end }}
    {{- range $sources }}
    - {name: {{ . | quote }}, mountPath: {{ print "/from/" . | quote }}, readOnly: true}
    {{- end }}
{{- end -}}
{{- end -}}
