{{/* What a pod needs besides its containers and volumes. (list . service part hasWaits group volumes)
     group: the services that must share a node, for the volumes' sake; "" when there are none. */}}
{{- define "smallest.pod" -}}
{{- $root := index . 0 -}}
{{- $common := $root.Values.common -}}
{{- $service := index $root.Values.services (index . 1) -}}
{{- $fullname := include "smallest.fullname" $root -}}
{{- $searches := list -}}
automountServiceAccountToken: false
# Else every Service of the namespace would become variables such as REDIS_PORT.
enableServiceLinks: false
{{- with include "smallest.setting" (list $root (index . 1) "imagePullSecrets") }}
imagePullSecrets:
  {{- . | nindent 2 }}
{{- end }}
{{- with include "smallest.serviceAccountName" (list $root (index . 1) (index . 3)) }}
serviceAccountName: {{ . }}
{{- end }}
{{- if eq $root.Values.dns.scope "release" }}
hostname: {{ index . 2 }}
subdomain: {{ $fullname }}
{{- $searches = list (printf "%s.%s.svc.%s" $fullname $root.Release.Namespace $root.Values.dns.clusterDomain) }}
{{- else if $service.hostname }}
hostname: {{ $service.hostname }}
{{- end }}
{{- $dns := deepCopy ($service.dnsConfig | default dict) }}
{{- if and $searches $root.Values.dns.nameservers }}
dnsPolicy: None
{{- $searches = concat $searches (list (printf "%s.svc.%s" $root.Release.Namespace $root.Values.dns.clusterDomain) (printf "svc.%s" $root.Values.dns.clusterDomain) $root.Values.dns.clusterDomain) }}
{{- $_ := set $dns "nameservers" ($dns.nameservers | default $root.Values.dns.nameservers) }}
{{- $_ := set $dns "options" (concat (list (dict "name" "ndots" "value" "5")) ($dns.options | default list)) }}
{{- else if $dns.nameservers }}
dnsPolicy: None
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
{{- with $service.sysctls }}
{{- $sysctls := list }}
{{- range $key, $value := . }}
{{- $sysctls = append $sysctls (dict "name" $key "value" (include "smallest.expand" (list $root $value))) }}
{{- end }}
{{- $_ := set $security "sysctls" $sysctls }}
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
{{- range $key := list "nodeSelector" "tolerations" "priorityClassName" "runtimeClassName" }}
{{- with index $service $key | default (index $common $key) }}
{{- if kindIs "string" . }}
{{ $key }}: {{ . | quote }}
{{- else }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
{{- with include "smallest.affinity" . }}
affinity:
  {{- . | nindent 2 }}
{{- end }}
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

{{/* What a container needs besides its ports and mounts. (list . service part secrets)
     secrets: which Secrets of its own it has: "env", "env-file", both or none. */}}
{{- define "smallest.container" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $common := $root.Values.common -}}
{{- $service := index $root.Values.services $name -}}
image: {{ include "smallest.expand" (list $root $service.image) | required (printf "services.%s.image is empty" $name) | quote }}
imagePullPolicy: {{ $service.pullPolicy | default $common.pullPolicy }}
{{- range $field, $key := dict "command" "entrypoint" "args" "command" }}
{{- with index $service $key }}
{{ $field }}:
  {{- range . }}
  - {{ include "smallest.word" (list $root .) }}
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
      name: {{ include "smallest.name" (list $root (print (index . 2) "-env-file")) }}
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
  {{- with omit . "exec" }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}
{{- if or $service.postStart $service.preStop }}
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
imagePullPolicy: {{ $service.pullPolicy | default $root.Values.common.pullPolicy }}
{{- if and $service.entrypoint (not $hook.image) }}
command:
  {{- range $service.entrypoint }}
  - {{ include "smallest.word" (list $root .) }}
  {{- end }}
{{- end }}
args:
  {{- range $hook.command }}
  - {{ include "smallest.word" (list $root .) }}
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
      name: {{ include "smallest.name" (list $root (print (index . 3) "-env-file")) }}
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
{{- with include (print "smallest." $reader) (list $root $value (printf "services.%s.resources.%s.%s" $name $side $key)) -}}
{{- $lines = append $lines (printf "%s: %s" (ternary $key ($key | quote) (regexMatch `^[a-z-]+$` $key)) .) -}}
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

{{/* Init containers that hold a pod back until a service is up and healthy, or has done its work; a Job that fails
     ends the waiting at once. (list . kind name part) */}}
{{- define "smallest.wait" -}}
{{- $root := index . 0 -}}
{{- $object := printf "%s/%s" (index . 1) (index . 2) -}}
{{- $first := list "wait" $object "--for=create" "--timeout=-1s" -}}
{{- $second := list "rollout" "status" $object "--timeout=0" -}}
{{- if eq (index . 1) "job" -}}
{{- $first = list "wait" $object "--for=create" `--for=jsonpath={.status.conditions[?(@.status=="True")].type}` "--timeout=-1s" -}}
{{- $second = list "wait" $object "--for=condition=Complete" "--timeout=30s" -}}
{{- end -}}
{{- include "smallest.waitContainer" (list $root (print "find-" (index . 3)) $first) }}
{{ include "smallest.waitContainer" (list $root (print "await-" (index . 3)) $second) }}
{{- end -}}

{{/* One container that asks the API server. (list . name args) */}}
{{- define "smallest.waitContainer" -}}
{{- $wait := (index . 0).Values.wait -}}
- name: {{ index . 1 | trunc 63 | trimSuffix "-" }}
  image: {{ $wait.image | quote }}
  imagePullPolicy: {{ $wait.pullPolicy }}
  args:
    {{- range index . 2 }}
    - {{ . | quote }}
    {{- end }}
  env:
    # kubectl keeps what it learned about the API server in its home.
    - name: HOME
      value: /tmp
    - name: KUBERNETES_NAMESPACE
      value: {{ (index . 0).Release.Namespace | quote }}
  securityContext:
    allowPrivilegeEscalation: false
    capabilities:
      drop:
        - ALL
    readOnlyRootFilesystem: true
    runAsNonRoot: true
    runAsUser: 65532
  {{- with $wait.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - name: tycho-wait-token
      mountPath: /var/run/secrets/kubernetes.io/serviceaccount
      readOnly: true
{{- end -}}

{{/* The token of the containers that wait; no other container sees it. */}}
{{- define "smallest.waitVolume" -}}
- name: tycho-wait-token
  projected:
    defaultMode: 0444
    sources:
      - serviceAccountToken:
          path: token
          expirationSeconds: 3600
      - configMap:
          name: kube-root-ca.crt
          items:
            - key: ca.crt
              path: ca.crt
      - downwardAPI:
          items:
            - path: namespace
              fieldRef:
                fieldPath: metadata.namespace
{{- end -}}
