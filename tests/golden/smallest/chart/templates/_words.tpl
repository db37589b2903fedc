{{/* The words of a command, as JSON: of a list, each with its variables expanded; of a line, those that it has once its
     variables are expanded, split as Compose splits it: by blanks, with quotes and backslashes, up to an unquoted
     ; & | < or >. (list . value path) */}}
{{- define "smallest.words" -}}
{{- $root := index . 0 -}}
{{- $path := index . 2 -}}
{{- $words := list -}}
{{- if not (kindIs "string" (index . 1)) -}}
{{- range index . 1 -}}
{{- $words = append $words (include "smallest.expand" (list $root .)) -}}
{{- end -}}
{{- else -}}
{{- $word := "" -}}
{{- $started := false -}}
{{- $quote := "" -}}
{{- $group := "" -}}
{{- $escaped := false -}}
{{- $ended := false -}}
{{- $wrong := false -}}
{{- range $character := splitList "" (include "smallest.expand" (list $root (index . 1))) -}}
{{- if $ended -}}
{{- else if $escaped -}}
{{- $word = print $word $character -}}
{{- $started = true -}}
{{- $escaped = false -}}
{{- else if and (eq $character "\\") (ne $quote "'") -}}
{{- $escaped = true -}}
{{- else if has $character (list " " "\t" "\r" "\n") -}}
{{- if or $quote $group -}}
{{- $word = print $word $character -}}
{{- else if $started -}}
{{- $words = append $words $word -}}
{{- $word = "" -}}
{{- $started = false -}}
{{- end -}}
{{- else if and (has $character (list "\"" "'")) (ne $group "$(") (has $quote (list "" $character)) -}}
{{- $started = or $started (ne $quote "") -}}
{{- $quote = ternary $character "" (eq $quote "") -}}
{{- else if and (has $character (list ";" "&" "|" "<" ">")) (not $quote) (not $group) -}}
{{- if and (eq $character ">") (regexMatch "^[0-9]" $word) }}{{ $started = false }}{{ end -}}
{{- $ended = true -}}
{{- else if and (eq $character "(") (not $quote) (ne $group "`") -}}
{{- if or $group (not (hasSuffix "$" $word)) }}{{ $wrong = true }}{{ end -}}
{{- $word = print $word "(" -}}
{{- $group = "$(" -}}
{{- else -}}
{{- if and (eq $character "`") (not $quote) (ne $group "$(") -}}
{{- $group = ternary "" "`" (ne $group "") -}}
{{- else if and (eq $character ")") (not $quote) (ne $group "`") -}}
{{- $group = ternary "" "$(" (ne $group "") -}}
{{- end -}}
{{- $word = print $word $character -}}
{{- $started = true -}}
{{- end -}}
{{- end -}}
{{- if or $wrong $quote $group $escaped }}{{ fail (printf "%s: unbalanced quotes or parentheses" $path) }}{{ end -}}
{{- if $started }}{{ $words = append $words $word }}{{ end -}}
{{- end -}}
{{- toJson $words -}}
{{- end -}}
