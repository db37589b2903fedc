{{/* Init containers that hold a pod back until a service is up and healthy, or has done its work; a Job that fails
     ends the waiting at once: its last condition is Complete or Failed, and kubectl takes one value, no more. (list . kind name part) */}}
{{- define "smallest.wait" -}}
{{- $root := index . 0 -}}
{{- $object := printf "%s/%s" (index . 1) (index . 2) -}}
{{- $first := list "wait" $object "--for=create" "--timeout=-1s" -}}
{{- $second := list "rollout" "status" $object "--timeout=0" -}}
{{- if eq (index . 1) "job" -}}
{{- $first = list "wait" $object "--for=create" "--for=jsonpath={.status.conditions[-1:].status}=True" "--timeout=-1s" -}}
{{- $second = list "wait" $object "--for=condition=Complete" "--timeout=30s" -}}
{{- end -}}
{{- include "smallest.waitContainer" (list $root (print "find-" (index . 3)) $first) }}
{{ include "smallest.waitContainer" (list $root (print "await-" (index . 3)) $second) }}
{{- end -}}

{{/* An init container that holds a pod back until a pod of a service has been started, ready or not; nobody waits for a
     service that has no pods. (list . part service) */}}
{{- define "smallest.waitStarted" -}}
{{- $root := index . 0 -}}
{{- $service := index $root.Values.services (index . 2) -}}
{{- $replicas := "" -}}
{{- if hasKey $service "replicas" -}}
{{- $replicas = include "smallest.int" (list $root $service.replicas (printf "services.%s.replicas" (index . 2))) -}}
{{- end -}}
{{- if ne $replicas "0" -}}
{{- $labels := list -}}
{{- range $key, $value := include "smallest.selectorLabels" (list $root (index . 1)) | fromYaml -}}
{{- $labels = append $labels (printf "%s=%s" $key $value) -}}
{{- end -}}
{{- $selector := printf "--selector=%s" (join "," $labels) -}}
{{- $args := list "wait" "pod" $selector "--field-selector=status.phase!=Pending" "--for=create" "--timeout=-1s" -}}
{{- include "smallest.waitContainer" (list $root (print "find-" (index . 1)) $args) }}
{{- end -}}
{{- end -}}

{{/* One container that asks the API server. (list . name args) */}}
{{- define "smallest.waitContainer" -}}
{{- $wait := (index . 0).Values.wait -}}
- name: {{ index . 1 | trunc 63 | trimSuffix "-" | quote }}
  image: {{ $wait.image | quote }}
  imagePullPolicy: {{ $wait.pullPolicy | quote }}
  terminationMessagePolicy: FallbackToLogsOnError
  args:
    {{- range index . 2 }}
    - {{ . | quote }}
    {{- end }}
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
