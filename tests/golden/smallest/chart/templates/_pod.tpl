{{/* What a pod needs besides its containers and volumes. (list . service part hasWaits group volumes [fsGroup claims])
     group: the services that must share a node, for the volumes' sake; "" when there are none.
     fsGroup: the group that claims are given to; those that an earlier chart made are left as they are. */}}
{{- define "smallest.pod" -}}
{{- $root := index . 0 -}}
{{- $common := $root.Values.common -}}
{{- $service := index $root.Values.services (index . 1) -}}
{{- $fullname := include "smallest.fullname" $root -}}
{{- $searches := list -}}
automountServiceAccountToken: {{ hasKey $service "automountServiceAccountToken" | ternary $service.automountServiceAccountToken $common.automountServiceAccountToken | default false }}
# Else every Service of the namespace would become variables such as REDIS_PORT.
enableServiceLinks: false
{{- with include "smallest.setting" (list $root (index . 1) "imagePullSecrets") }}
imagePullSecrets:
  {{- . | nindent 2 }}
{{- end }}
{{- with include "smallest.serviceAccountName" (list $root (index . 1) (index . 3)) }}
serviceAccountName: {{ . | quote }}
{{- end }}
{{- if eq $root.Values.dns.scope "release" }}
hostname: {{ index . 2 | quote }}
subdomain: {{ $fullname | quote }}
{{- $searches = list (printf "%s.%s.svc.%s" $fullname $root.Release.Namespace $root.Values.dns.clusterDomain) }}
{{- else if $service.hostname }}
hostname: {{ $service.hostname | quote }}
{{- end }}
{{- $dns := include "smallest.dnsConfig" (list $root $service.dnsConfig) | fromJson }}
{{- if and $searches $root.Values.dns.nameservers }}
dnsPolicy: None
{{- $searches = concat $searches (list (printf "%s.svc.%s" $root.Release.Namespace $root.Values.dns.clusterDomain) (printf "svc.%s" $root.Values.dns.clusterDomain) $root.Values.dns.clusterDomain) }}
{{- $_ := set $dns "nameservers" (concat $root.Values.dns.nameservers ($dns.nameservers | default list) | uniq) }}
{{- $_ := set $dns "options" (concat (list (dict "name" "ndots" "value" "5")) ($dns.options | default list)) }}
{{- else if $service.hostNetwork }}
dnsPolicy: ClusterFirstWithHostNet
{{- end }}
{{- if or $searches $dns.searches }}
{{- $_ := set $dns "searches" (concat $searches ($dns.searches | default list)) }}
{{- end }}
{{- with $dns }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $service.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $security := mergeOverwrite (deepCopy ($common.podSecurityContext | default dict)) (deepCopy ($service.podSecurityContext | default dict)) }}
{{- $wanted := merge (dict) ($service.sysctls | default dict) }}
{{- if not $service.hostNetwork }}
{{- $wanted = merge $wanted ($common.sysctls | default dict) }}
{{- end }}
{{- with $wanted }}
{{- $sysctls := list }}
{{- range $key, $value := . }}
{{- $sysctls = append $sysctls (dict "name" $key "value" (include "smallest.expand" (list $root $value))) }}
{{- end }}
{{- $_ := set $security "sysctls" $sysctls }}
{{- end }}
{{- if and (gt (len .) 6) (not (hasKey $security "fsGroup")) }}
{{- $made := false }}
{{- range index . 7 }}
{{- if include "smallest.subPath" (list $root . "") }}{{ $made = true }}{{ end }}
{{- end }}
{{- if $made }}
{{- $security = merge (dict "fsGroup" (index . 6 | int64)) $security (dict "fsGroupChangePolicy" "OnRootMismatch") }}
{{- end }}
{{- end }}
{{- with $security }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "smallest.spread" . }}
topologySpreadConstraints:
  {{- . | nindent 2 }}
{{- end }}
{{- range $key := list "hostNetwork" "hostPID" "hostIPC" "shareProcessNamespace" }}
{{- if index $service $key }}
{{ $key }}: true
{{- end }}
{{- end }}
{{- range $key := list "nodeSelector" "priorityClassName" "runtimeClassName" }}
{{- with index $service $key | default (index $common $key) }}
{{- if kindIs "string" . }}
{{ $key }}: {{ . | quote }}
{{- else }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
{{- with include "smallest.extra" (list $root (index . 1) "tolerations") }}
tolerations:
  {{- . | nindent 2 }}
{{- end }}
{{- with include "smallest.affinity" . }}
affinity:
  {{- . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A pod's dnsConfig with its variables expanded, as JSON: the end of a text in YAML loses its line's end. What is
     empty then is left out, and so is the search domain ".", Compose's word for none. (list . dnsConfig) */}}
{{- define "smallest.dnsConfig" -}}
{{- $root := index . 0 -}}
{{- $dns := deepCopy (index . 1 | default dict) -}}
{{- range $key := list "nameservers" "searches" -}}
{{- $texts := list -}}
{{- range index $dns $key -}}
{{- with include "smallest.expand" (list $root .) }}{{ if ne . "." }}{{ $texts = append $texts . }}{{ end }}{{ end -}}
{{- end -}}
{{- if $texts }}{{ $_ := set $dns $key $texts }}{{ else }}{{ $_ := unset $dns $key }}{{ end -}}
{{- end -}}
{{- $options := list -}}
{{- range $dns.options -}}
{{- $parts := include "smallest.expand" (list $root .name) | splitn ":" 2 -}}
{{- $value := include "smallest.expand" (list $root .value) | default $parts._1 -}}
{{- $option := dict "name" $parts._0 -}}
{{- if $value }}{{ $_ := set $option "value" $value }}{{ end -}}
{{- if $parts._0 }}{{ $options = append $options $option }}{{ end -}}
{{- end -}}
{{- if $options }}{{ $_ := set $dns "options" $options }}{{ else }}{{ $_ := unset $dns "options" }}{{ end -}}
{{- toJson $dns -}}
{{- end -}}

{{/* Where a pod may run: the values' wishes, and beside the others that use its volumes, since a volume is on one
     node. One term for all of them: a pod that matches its own only term may be the first. */}}
{{- define "smallest.affinity" -}}
{{- $root := index . 0 -}}
{{- $service := index $root.Values.services (index . 1) -}}
{{- $affinity := deepCopy ($service.affinity | default $root.Values.common.affinity | default dict) -}}
{{- $one := false -}}
{{- range index . 5 -}}
{{- if not (has "ReadWriteMany" (index $root.Values.volumes .).accessModes) }}{{ $one = true }}{{ end -}}
{{- end -}}
{{- if and (index . 4) $one -}}
{{- $labels := dict "app.kubernetes.io/instance" $root.Release.Name "tycho.dev/volumes" (index . 4) -}}
{{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" $labels) -}}
{{- $pods := get $affinity "podAffinity" | default dict -}}
{{- $required := append (get $pods "requiredDuringSchedulingIgnoredDuringExecution" | default list) $term -}}
{{- $_ := set $pods "requiredDuringSchedulingIgnoredDuringExecution" $required -}}
{{- $_ := set $affinity "podAffinity" $pods -}}
{{- end -}}
{{- if $service.onePerNode -}}
{{- $labels := include "smallest.selectorLabels" (list $root (index . 2)) | fromYaml -}}
{{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" $labels) -}}
{{- $pods := get $affinity "podAntiAffinity" | default dict -}}
{{- $required := append (get $pods "requiredDuringSchedulingIgnoredDuringExecution" | default list) $term -}}
{{- $_ := set $pods "requiredDuringSchedulingIgnoredDuringExecution" $required -}}
{{- $_ := set $affinity "podAntiAffinity" $pods -}}
{{- end -}}
{{- with $affinity }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{/* How pods are spread over nodes; a constraint that selects nothing selects the pods of the service itself.
     (list . service part) */}}
{{- define "smallest.spread" -}}
{{- $root := index . 0 -}}
{{- $service := index $root.Values.services (index . 1) -}}
{{- $constraints := list -}}
{{- range $service.topologySpreadConstraints | default $root.Values.common.topologySpreadConstraints -}}
{{- $labels := include "smallest.selectorLabels" (list $root (index $ 2)) | fromYaml -}}
{{- $constraints = append $constraints (merge (dict) . (dict "labelSelector" (dict "matchLabels" $labels))) -}}
{{- end -}}
{{- with $constraints }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{/* The service account of a pod; a pod that waits for others needs one that may look at them.
     (list . service hasWaits) */}}
{{- define "smallest.serviceAccountName" -}}
{{- $root := index . 0 -}}
{{- $own := (index $root.Values.services (index . 1)).serviceAccountName | default $root.Values.common.serviceAccountName -}}
{{- if $own -}}
{{- $own -}}
{{- else if index . 2 -}}
{{- include "smallest.name" (list $root "wait") -}}
{{- end -}}
{{- end -}}
