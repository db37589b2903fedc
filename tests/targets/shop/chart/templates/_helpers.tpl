{{/* What every object's name starts with: no dots, as a Service has none; a long one is cut for the longest suffix. */}}
{{- define "shop.fullname" -}}
{{- $name := .Values.fullnameOverride | default .Release.Name | replace "." "-" -}}
{{- gt (len $name) 49 | ternary (printf "%s-%s" (trunc 40 $name) (sha256sum $name | trunc 8)) $name -}}
{{- end -}}

{{/* The name that peers call a service by. (dict "service" … "context" $) */}}
{{- define "shop.serviceName" -}}
{{- if eq .context.Values.dns.scope "release" }}{{ include "shop.fullname" .context }}-{{ end }}{{ .service -}}
{{- end -}}

{{/* What selects pods: never changes. (dict "component" … "context" $) */}}
{{- define "shop.selectorLabels" -}}
app.kubernetes.io/name: {{ .context.Values.nameOverride | default "shop" | quote }}
app.kubernetes.io/instance: {{ .context.Release.Name | quote }}
app.kubernetes.io/component: {{ .component | quote }}
{{- end -}}

{{/* Labels of pods: "own" before commonLabels before "labels". (dict "component" … "own" … "labels" … "context" $) */}}
{{- define "shop.podLabels" -}}
{{- include "shop.selectorLabels" . }}
executor: tycho
{{- $reserved := list "executor" "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" }}
{{- range $name, $value := merge dict (.own | default dict) .context.Values.commonLabels (.labels | default dict) }}
{{- if not (has $name $reserved) }}
{{ $name | quote }}: {{ $value | quote }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* Labels of everything else, the chart's version among them: on pods it would roll them. (dict "component" … "context" $) */}}
{{- define "shop.labels" -}}
{{- $own := dict
  "app.kubernetes.io/part-of" "shop"
  "app.kubernetes.io/version" .context.Chart.AppVersion
  "app.kubernetes.io/managed-by" .context.Release.Service
  "helm.sh/chart" (printf "shop-%s" .context.Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_.") -}}
{{- include "shop.podLabels" (dict "component" .component "own" $own "context" .context) -}}
{{- end -}}

{{/* An image; global.imageRegistry stands in the place of its registry. (dict "image" … "context" $) */}}
{{- define "shop.image" -}}
{{- $image := .image.reference | default .image.repository -}}
{{- with .context.Values.global.imageRegistry }}{{ $image = printf "%s/%s" . (regexReplaceAll `^[^/]*[.:][^/]*/` $image "") }}{{ end -}}
{{- $image }}{{ with .image.tag }}:{{ kindIs "string" . | ternary . (toJson .) }}{{ end }}{{ with .image.digest }}@{{ . }}{{ end }}
{{- end -}}

{{/* A container's securityContext, as strict as podSecurity says. (dict "own" … "context" $) */}}
{{- define "shop.securityContext" -}}
{{- $strict := dict "allowPrivilegeEscalation" false "runAsNonRoot" true "capabilities" (dict "drop" (list "ALL")) -}}
{{- with eq .context.Values.podSecurity "restricted" | ternary (mergeOverwrite (.own | default dict | deepCopy) $strict) .own }}{{ toJson . }}{{ end -}}
{{- end -}}

{{/* Names in a release that shares its namespace: a pod is <service>.<fullname>, and looks up peers there; with
     dns.nameservers it looks nowhere else first. (dict "component" … "context" $) */}}
{{- define "shop.podNames" -}}
{{- $dns := .context.Values.dns -}}
{{- $namespace := printf "%s.svc.%s" .context.Release.Namespace $dns.clusterDomain -}}
{{- $searches := list (printf "%s.%s" (include "shop.fullname" .context) $namespace) -}}
hostname: {{ .component | quote }}
subdomain: {{ include "shop.fullname" .context | quote }}
{{- with $dns.nameservers }}
{{- $searches = concat $searches (list $namespace (print "svc." $dns.clusterDomain) $dns.clusterDomain) }}
dnsPolicy: None
dnsConfig: {nameservers: {{ toJson . }}, searches: {{ toJson $searches }}, options: [{name: ndots, value: "5"}]}
{{- else }}
dnsConfig: {searches: {{ toJson $searches }}}
{{- end }}
{{- end -}}

{{/* What a container sees of a claim: its folder, or all of it where the claim exists already, or is an earlier chart's.
     (dict "claim" … "path" …) */}}
{{- define "shop.claimPath" -}}
{{- list (empty .claim.existingClaim | ternary .claim.subPath "") .path | compact | join "/" -}}
{{- end -}}
