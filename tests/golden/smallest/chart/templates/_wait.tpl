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
