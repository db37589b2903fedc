{{/* The claim behind a volume. (list . name part) */}}
{{- define "smallest.claim" -}}
{{- $root := index . 0 -}}
{{- with (index $root.Values.volumes (index . 1)).existingClaim -}}
{{- include "smallest.expand" (list $root .) -}}
{{- else -}}
{{- include "smallest.name" (list $root (index . 2)) -}}
{{- end -}}
{{- end -}}

{{/* The Secret behind a secret. (list . name part) */}}
{{- define "smallest.secretName" -}}
{{- $root := index . 0 -}}
{{- with (index $root.Values.secrets (index . 1)).existingSecret -}}
{{- include "smallest.expand" (list $root .) -}}
{{- else -}}
{{- include "smallest.name" (list $root (index . 2)) -}}
{{- end -}}
{{- end -}}

{{/* The part of names that a compose service has. (list . service) */}}
{{- define "smallest.part" -}}
{{- $parts := dict "web" "web" -}}
{{- get $parts (index . 1) | required (printf "no service %q in this chart" (index . 1)) -}}
{{- end -}}

{{/* The Service behind a path of an Ingress or HTTPRoute. (list . service) */}}
{{- define "smallest.backend" -}}
{{- include "smallest.serviceName" (list (index . 0) (include "smallest.part" .)) -}}
{{- end -}}
