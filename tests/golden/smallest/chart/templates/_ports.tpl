{{/* Ports that a service publishes: those of the compose file, or the one that the caller named.
     (list . service) */}}
{{- define "smallest.publishedPorts" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $publish := (index $root.Values.services $name).publish | default dict -}}
{{- $type := $publish.type | default $root.Values.common.publish.type -}}
{{- if ne (toString $publish.enabled) "false" -}}
{{- $wanted := include "smallest.int" (list $root $publish.port (printf "services.%s.publish.port" $name) 1 65535) -}}
{{- $seen := dict -}}
{{- range $key, $port := $publish.ports -}}
{{- if or (not $wanted) (eq $wanted (include "smallest.text" $port.targetPort)) -}}
{{- $path := printf "services.%s.publish.ports.%s.port" $name $key -}}
{{- $number := include "smallest.int" (list $root $port.port $path) | default (include "smallest.text" $port.targetPort) -}}
{{- if or (lt (int $number) 1) (gt (int $number) 65535) }}{{ fail (printf "%s: %s is not a port" $path $number) }}{{ end -}}
{{- $slot := print $number "/" $port.protocol -}}
{{- if and (hasKey $seen $slot) (ne (get $seen $slot) (include "smallest.text" $port.targetPort)) -}}
{{- fail (printf "%s: %s is published twice" $path $slot) -}}
{{- end -}}
{{- if not (hasKey $seen $slot) -}}
{{- $_ := set $seen $slot (include "smallest.text" $port.targetPort) }}
- name: {{ $key | quote }}
  port: {{ $number }}
  targetPort: {{ include "smallest.text" $port.targetPort }}
  protocol: {{ $port.protocol | quote }}
  {{- /* A published port that nodes can have is asked of them as it is; nodePort: 0 leaves the choice to the cluster. */}}
  {{- $inRange := and (ge (int $number) 30000) (le (int $number) 32767) (ne $type "ClusterIP") }}
  {{- with hasKey $port "nodePort" | ternary $port.nodePort ($inRange | ternary $number 0) }}
  nodePort: {{ int . }}
  {{- end }}
  {{- with include "smallest.expand" (list $root $port.appProtocol) }}
  appProtocol: {{ . | quote }}
  {{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $wanted (not $seen) }}
- name: {{ print "tcp-" $wanted | quote }}
  port: {{ $wanted }}
  targetPort: {{ $wanted }}
  protocol: TCP
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A Service that publishes ports. (list . service part order) */}}
{{- define "smallest.published" -}}
{{- $root := index . 0 -}}
{{- $publish := (index $root.Values.services (index . 1)).publish | default dict -}}
{{- $common := $root.Values.common.publish -}}
{{- with include "smallest.publishedPorts" . -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "smallest.name" (list $root (print (index $ 2) "-published")) | quote }}
  labels:
    {{- include "smallest.labels" (list $root (index $ 2)) | nindent 4 }}
    tycho.dev/published: "true"
  annotations:
    tycho.dev/service: {{ index $ 1 | quote }}
    tycho.dev/order: {{ index $ 3 | quote }}
    {{- range $key, $value := merge (dict) ($publish.annotations | default dict) ($common.annotations | default dict) }}
    {{- if not (include "smallest.ours" $key) }}
    {{ $key | quote }}: {{ $value | quote }}
    {{- end }}
    {{- end }}
spec:
  type: {{ $publish.type | default $common.type | quote }}
  {{- if and $publish.clients (ne ($publish.type | default $common.type) "ClusterIP") }}
  # Else the client's address is hidden behind a node's, and the network policy cannot tell who it is.
  externalTrafficPolicy: Local
  {{- end }}
  {{- if and $publish.clients (eq ($publish.type | default $common.type) "LoadBalancer") }}
  loadBalancerSourceRanges:
    {{- range $publish.clients }}
    - {{ . | quote }}
    {{- end }}
  {{- end }}
  selector:
    {{- include "smallest.selectorLabels" (list $root (index $ 2)) | nindent 4 }}
  ports:
    {{- trim . | nindent 4 }}
{{- end -}}
{{- end -}}

{{/* Lets clients call the published ports of a service. (list . service part) */}}
{{- define "smallest.admit" -}}
{{- $root := index . 0 -}}
{{- $publish := (index $root.Values.services (index . 1)).publish | default dict -}}
{{- $ports := list -}}
{{- range include "smallest.publishedPorts" . | fromYamlArray -}}
{{- $ports = append $ports (dict "port" .targetPort "protocol" .protocol) -}}
{{- end -}}
{{- /* Bound to loopback in the compose file: whoever is not on its networks has no way to it. */ -}}
{{- $hidden := and (eq (toString $publish.type) "ClusterIP") (not $publish.clients) -}}
{{- if and $ports $root.Values.networkPolicy.enabled (not $hidden) -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "smallest.name" (list $root (print (index . 2) "-published")) | quote }}
  labels:
    {{- include "smallest.labels" (list $root (index . 2)) | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "smallest.selectorLabels" (list $root (index . 2)) | nindent 6 }}
  policyTypes:
    - Ingress
  ingress:
    - ports:
        {{- $ports | uniq | toYaml | nindent 8 }}
      {{- with $publish.clients }}
      from:
        {{- range . }}
        - ipBlock:
            cidr: {{ . | quote }}
        {{- end }}
      {{- end }}
{{- end -}}
{{- end -}}
