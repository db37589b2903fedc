{{/* Text in Compose's syntax, with `.Values.env` in the place of the shell's environment:
     $V ${V} ${V-d} ${V:-d} ${V+r} ${V:+r} ${V?e} ${V:?e} $$, nested. (list . text)

     Groups are resolved from the inside out. What must not be read again (a `$$`, the value of a variable, braces
     that are plain text, an error in a branch that may go unused) is kept behind the byte \xff, which no text holds. */}}
{{- define "smallest.expand" -}}
{{- $text := include "smallest.text" (index . 1) -}}
{{- if contains "$" $text -}}
{{- $env := (index . 0).Values.env | default dict -}}
{{- $text = regexReplaceAll `\$([A-Za-z_][A-Za-z0-9_]*)` (replace "$$" "\xff0" $text) `$${${1}}` -}}
{{- range until (sub (len (splitList "{" $text)) 1 | int) -}}
{{- $group := regexFind `\$?\{[^{}]*\}` $text -}}
{{- if not $group -}}{{- break -}}{{- end -}}
{{- $result := $group | replace "{" "\xff1" | replace "}" "\xff2" -}}
{{- if hasPrefix "$" $group -}}
{{- $inside := $group | trimPrefix "${" | trimSuffix "}" -}}
{{- $name := regexFind `^[A-Za-z_][A-Za-z0-9_]*` $inside -}}
{{- $rest := trimPrefix $name $inside -}}
{{- $operator := regexFind `^:?[-+?]` $rest -}}
{{- $argument := trimPrefix $operator $rest -}}
{{- $set := and (hasKey $env $name) (not (kindIs "invalid" (index $env $name))) -}}
{{- $value := "" -}}
{{- if $set -}}
{{- $value = include "smallest.text" (index $env $name) | replace "$" "\xff0" | replace "{" "\xff1" | replace "}" "\xff2" -}}
{{- end -}}
{{- if hasPrefix ":" $operator -}}{{- $set = ne $value "" -}}{{- end -}}
{{- if or (not $name) (and $rest (not $operator)) -}}
{{- $result = printf "\xff3invalid interpolation format: %s\xff4" $result -}}
{{- else if hasSuffix "-" $operator -}}
{{- $result = ternary $value $argument $set -}}
{{- else if hasSuffix "+" $operator -}}
{{- $result = ternary $argument "" $set -}}
{{- else if and (hasSuffix "?" $operator) (not $set) -}}
{{- $result = printf "\xff3required variable %s is missing a value%s\xff4" $name (ternary (print ": " $argument) "" (ne $argument "")) -}}
{{- else -}}
{{- $result = $value -}}
{{- end -}}
{{- end -}}
{{- $around := splitn $group 2 $text -}}
{{- $text = print $around._0 $result $around._1 -}}
{{- end -}}
{{- if contains "${" $text -}}
{{- $text = print $text "\xff3invalid interpolation format: " (index . 1) "\xff4" -}}
{{- end -}}
{{- range rest (splitList "\xff3" $text) -}}
{{- if contains "\xff4" . -}}
{{- fail (splitList "\xff4" . | first | replace "\xff0" "$" | replace "\xff1" "{" | replace "\xff2" "}") -}}
{{- end -}}
{{- end -}}
{{- $text = $text | replace "\xff0" "$" | replace "\xff1" "{" | replace "\xff2" "}" -}}
{{- end -}}
{{- $text -}}
{{- end -}}

{{/* A scalar as text; whole numbers without an exponent, nothing for null. */}}
{{- define "smallest.text" -}}
{{- if kindIs "float64" . -}}
{{- if eq (floor .) . }}{{ printf "%.0f" . }}{{ else }}{{ . }}{{ end -}}
{{- else if not (kindIs "invalid" .) -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* Text that Kubernetes would read `$(X)` and `$$` in: an environment value, a word of a command. (list . text) */}}
{{- define "smallest.word" -}}
{{- $text := include "smallest.expand" . -}}
{{- if or (contains "$(" $text) (contains "$$" $text) -}}
{{- $text = replace "$" "$$" $text -}}
{{- end -}}
{{- $text | quote -}}
{{- end -}}

{{/* A whole number, or nothing where the text is empty. (list . value path) */}}
{{- define "smallest.int" -}}
{{- $text := include "smallest.expand" . | trim -}}
{{- if and $text (not (regexMatch `^[0-9]+$` $text)) -}}
{{- fail (printf "%s: %q is not a whole number" (index . 2) $text) -}}
{{- end -}}
{{- $text -}}
{{- end -}}

{{/* A number of processors, or nothing where the text is empty or zero. (list . value path) */}}
{{- define "smallest.cpus" -}}
{{- $text := include "smallest.expand" . | trim -}}
{{- if not (regexMatch `^([0-9]+\.?[0-9]*m?|\.[0-9]+|)$` $text) -}}
{{- fail (printf "%s: %q is not a number of processors" (index . 2) $text) -}}
{{- end -}}
{{- if regexMatch `[1-9]` $text -}}{{- $text | trimSuffix "." | quote -}}{{- end -}}
{{- end -}}

{{/* A size in Compose's units, where k, m and g are powers of 1024; nothing where it is empty or zero.
     (list . value path) */}}
{{- define "smallest.bytes" -}}
{{- $text := include "smallest.expand" . | trim | lower -}}
{{- if not (regexMatch `^([0-9]+(\.[0-9]+)? ?([kmgtp]?i?b?)|)$` $text) -}}
{{- fail (printf "%s: %q is not a size" (index . 2) $text) -}}
{{- end -}}
{{- $number := regexFind `^[0-9.]+` $text -}}
{{- $unit := $text | trimPrefix $number | trim | trunc 1 -}}
{{- $factor := get (dict "k" 1024 "m" 1048576 "g" 1073741824 "t" 1099511627776 "p" 1125899906842624) $unit | default 1 -}}
{{- $bytes := 0 -}}
{{- if contains "." $number -}}
{{- $bytes = mulf (float64 $number) $factor | floor | int64 -}}
{{- else if $number -}}
{{- $bytes = mul (int64 (regexReplaceAll `^0+([0-9])` $number "${1}")) $factor -}}
{{- end -}}
{{- if and $bytes (not (mod $bytes 1073741824)) -}}
{{- printf "%dGi" (div $bytes 1073741824) -}}
{{- else if and $bytes (not (mod $bytes 1048576)) -}}
{{- printf "%dMi" (div $bytes 1048576) -}}
{{- else if and $bytes (not (mod $bytes 1024)) -}}
{{- printf "%dKi" (div $bytes 1024) -}}
{{- else if $bytes -}}
{{- printf "%d" $bytes -}}
{{- end -}}
{{- end -}}
