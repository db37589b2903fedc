{{/* A container that ends once a service is healthy: its name has an address. (dict "name" … "service" … "context" $) */}}
{{- define "shop.wait" -}}
- name: {{ .name }}
  image: {{ include "shop.image" (dict "image" .context.Values.tools.image "context" .context) | quote }}
  imagePullPolicy: {{ .context.Values.defaults.image.pullPolicy }}
  terminationMessagePolicy: FallbackToLogsOnError
  command: [sh, -c, 'until nslookup "$0" | grep -q ^Name; do sleep 1; done 2>/dev/null']
  args: [{{ printf "%s.%s.svc.%s." .service .context.Release.Namespace .context.Values.dns.clusterDomain | quote }}]
  securityContext:
    allowPrivilegeEscalation: false
    capabilities: {drop: [ALL]}
    readOnlyRootFilesystem: true
    runAsNonRoot: true
    runAsUser: 65532
  resources: {{ toJson .context.Values.tools.resources }}
{{- end -}}
