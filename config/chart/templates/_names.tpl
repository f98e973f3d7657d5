{{/* The beginning of all names. */}}
{{- define "gatehouse.name" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels of every object. */}}
{{- define "gatehouse.labels" -}}
app.kubernetes.io/part-of: gatehouse
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Labels of the operator's pods. The gates' NetworkPolicies let in who carries them. */}}
{{- define "gatehouse.operatorLabels" -}}
app.kubernetes.io/name: gatehouse
app.kubernetes.io/component: operator
{{- end -}}

{{/* An image by its digest, else by its tag, else by the digest that it has in this release, else by the release's version. */}}
{{- define "gatehouse.image" -}}
{{- $repository := .image.repository | default (printf "%s/%s" .root.Values.registry .name) -}}
{{- $released := index (.root.Files.Get "files/digests.yaml" | fromYaml) .name -}}
{{- if .image.digest -}}
{{ $repository }}@{{ .image.digest }}
{{- else if .image.tag -}}
{{ $repository }}:{{ .image.tag }}
{{- else if $released -}}
{{ $repository }}@{{ $released }}
{{- else -}}
{{ $repository }}:{{ .root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The operator's ServiceAccount. */}}
{{- define "gatehouse.account" -}}
{{- .Values.serviceAccount.name | default (printf "%s-operator" (include "gatehouse.name" .)) -}}
{{- end -}}

{{/* The operator, as a subject of bindings. */}}
{{- define "gatehouse.subjects" -}}
subjects:
- kind: ServiceAccount
  name: {{ include "gatehouse.account" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{/* Whether objects of the cluster are made for the metrics. */}}
{{- define "gatehouse.metricsRoles" -}}
{{- if and .Values.metrics.enabled .Values.metrics.secure (or (not .Values.namespaces) .Values.metrics.clusterRoles) -}}
yes
{{- end -}}
{{- end -}}
