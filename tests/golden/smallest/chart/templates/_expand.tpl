{{/* Text in Compose's syntax, with `.Values.env` in the place of the shell's environment:
     $V ${V} ${V-d} ${V:-d} ${V+r} ${V:+r} ${V?e} ${V:?e} $$, nested. (list . text)

     Every piece is printed as soon as it is known: the work grows with the text, and no character is set aside to mark
     anything. The limits are those of the compiler. */}}
{{- define "smallest.expand" -}}
{{- $text := include "smallest.text" (index . 1) -}}
{{- if not (contains "$" $text) -}}
{{- $text -}}
{{- else if not (contains "$" (replace "$$" "" $text)) -}}
{{- replace "$$" "$" $text -}}
{{- else -}}
{{- $spent := dict "steps" 0 "bytes" 0 "turns" (until 20000) "known" dict -}}
{{- include "smallest.pieces" (list ((index . 0).Values.env | default dict) $text 0 $spent) -}}
{{- end -}}
{{- end -}}

{{/* A text, piece by piece: what stands between its dollar signs, and what they begin. (list env text depth spent) */}}
{{- define "smallest.pieces" -}}
{{- $env := index . 0 -}}
{{- $text := index . 1 -}}
{{- $depth := index . 2 -}}
{{- $spent := index . 3 -}}
{{- if gt $depth 50 }}{{ fail "defaults nested more than 50 deep" }}{{ end -}}
{{- $parts := splitList "$" $text -}}
{{- include "smallest.spend" (list $spent (len $parts)) -}}
{{- $at := 0 -}}
{{- $done := 0 -}}
{{- $escaped := false -}}
{{- range $index, $part := $parts -}}
{{- $end := int (add $at (len $part)) -}}
{{- if lt $at $done -}}
{{- if ge $end $done }}{{ substr $done $end $text }}{{ end -}}
{{- else if or (not $index) $escaped -}}
{{- $part -}}
{{- $escaped = false -}}
{{- else if and (not $part) (lt $end (len $text)) -}}
{{- "$" -}}
{{- $escaped = true -}}
{{- else if and (hasPrefix "{" $part) (not (regexMatch `^\{[A-Za-z_][A-Za-z0-9_]*\}` $part)) -}}
{{- $inside := include "smallest.group" (list (substr $at -1 $text) $spent) -}}
{{- include "smallest.expression" (list $env $inside $depth $spent) -}}
{{- $done = int (add $at (len $inside) 2) -}}
{{- if ge $end $done }}{{ substr $done $end $text }}{{ end -}}
{{- else -}}
{{- $written := regexFind `^(\{[A-Za-z_][A-Za-z0-9_]*\}|[A-Za-z_][A-Za-z0-9_]*)` $part -}}
{{- $name := trimAll "{}" $written -}}
{{- if $name -}}
{{- if not (hasKey $spent.known $name) }}{{ include "smallest.learn" (list $env $name $spent) }}{{ end -}}
{{- $value := get $spent.known $name -}}
{{- $_ := set $spent "bytes" (add $spent.bytes (len $value)) -}}
{{- if gt $spent.bytes 4194304 }}{{ fail "expands to more than 4 MiB" }}{{ end -}}
{{- $value -}}
{{- else -}}
{{- "$" -}}
{{- end -}}
{{- trimPrefix $written $part -}}
{{- end -}}
{{- $at = int (add1 $end) -}}
{{- end -}}
{{- end -}}

{{/* What stands between the brace that a text begins with and the one that closes it: inner ones are counted; where
     they do not balance, it is the line's last one. (list text spent) */}}
{{- define "smallest.group" -}}
{{- $text := substr 0 65536 (index . 0) -}}
{{- $left := $text -}}
{{- $open := 0 -}}
{{- $length := 0 -}}
{{- $last := 0 -}}
{{- $steps := 0 -}}
{{- $ended := false -}}
{{- $simple := regexFind `^\{[^{}\n]*\}` $text -}}
{{- if $simple -}}
{{- $last = len $simple -}}
{{- $steps = 2 -}}
{{- else -}}
{{- range (index . 1).turns -}}
{{- $step := regexFind `^[^{}\n]*[{}\n]` $left -}}
{{- if not $step }}{{ break }}{{ end -}}
{{- $left = trimPrefix $step $left -}}
{{- $length = add $length (len $step) -}}
{{- $steps = add1 $steps -}}
{{- if hasSuffix "{" $step -}}
{{- $open = add1 $open -}}
{{- else if hasSuffix "}" $step -}}
{{- $open = sub $open 1 -}}
{{- $last = $length -}}
{{- if not $open }}{{ break }}{{ end -}}
{{- else if $last -}}
{{- $ended = true -}}
{{- break -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "smallest.spend" (list (index . 1) $steps) -}}
{{- if and $open (not $ended) (gt (len (index . 0)) 65536) }}{{ fail "an expression is longer than 64 KiB" }}{{ end -}}
{{- if not $last }}{{ fail (print "invalid interpolation format: $" (trunc 1000 $text)) }}{{ end -}}
{{- substr 1 (int (sub $last 1)) $text -}}
{{- end -}}

{{/* What stands between braces, evaluated; a branch that goes unused is not looked at. (list env text depth spent) */}}
{{- define "smallest.expression" -}}
{{- $env := index . 0 -}}
{{- $name := regexFind `^[A-Za-z_][A-Za-z0-9_]*` (index . 1) -}}
{{- $rest := trimPrefix $name (index . 1) -}}
{{- $operator := regexFind `^:?[-+?]` $rest -}}
{{- if or (not $name) (and $rest (not $operator)) -}}
{{- fail (printf "invalid interpolation format: ${%s}" (trunc 1000 (index . 1))) -}}
{{- end -}}
{{- $spent := index . 3 -}}
{{- if not (hasKey $spent.known $name) }}{{ include "smallest.learn" (list $env $name $spent) }}{{ end -}}
{{- $value := get $spent.known $name -}}
{{- $set := and (hasKey $env $name) (not (kindIs "invalid" (index $env $name))) -}}
{{- if hasPrefix ":" $operator }}{{ $set = ne $value "" }}{{ end -}}
{{- $operand := list $env (trimPrefix $operator $rest) (add1 (index . 2)) $spent -}}
{{- if hasSuffix "+" $operator -}}
{{- if $set }}{{ include "smallest.pieces" $operand }}{{ end -}}
{{- else if or $set (not $operator) -}}
{{- $_ := set $spent "bytes" (add $spent.bytes (len $value)) -}}
{{- if gt $spent.bytes 4194304 }}{{ fail "expands to more than 4 MiB" }}{{ end -}}
{{- $value -}}
{{- else if hasSuffix "-" $operator -}}
{{- include "smallest.pieces" $operand -}}
{{- else -}}
{{- $message := include "smallest.pieces" $operand -}}
{{- fail (printf "required variable %s is missing a value%s" $name (ternary (print ": " $message) "" (ne $message ""))) -}}
{{- end -}}
{{- end -}}

{{/* Notes what a variable is worth, nothing where it is not set. (list env name spent) */}}
{{- define "smallest.learn" -}}
{{- $_ := set (index . 2).known (index . 1) (include "smallest.variable" .) -}}
{{- end -}}

{{/* The text of a variable. (list env name) */}}
{{- define "smallest.variable" -}}
{{- $value := get (index . 0) (index . 1) -}}
{{- if and (kindIs "string" $value) (regexMatch `\x{FFFD}` (replace "\uFFFD" "" $value)) -}}
{{- fail (printf "env.%s: not UTF-8 text" (index . 1)) -}}
{{- end -}}
{{- include "smallest.text" $value -}}
{{- end -}}

{{/* Counts dollar signs and braces: nobody writes so many into one text. (list spent steps) */}}
{{- define "smallest.spend" -}}
{{- $_ := set (index . 0) "steps" (add (index . 0).steps (index . 1)) -}}
{{- if gt (index . 0).steps 20000 }}{{ fail "more than 20000 dollar signs and braces to expand" }}{{ end -}}
{{- end -}}

{{/* A scalar as text; whole numbers without an exponent, nothing for null. */}}
{{- define "smallest.text" -}}
{{- if kindIs "float64" . -}}
{{- if eq (floor .) . }}{{ printf "%.0f" . }}{{ else }}{{ . }}{{ end -}}
{{- else if and (kindIs "string" .) (regexMatch `\x{FFFD}` (replace "\uFFFD" "" .)) -}}
{{- fail "a value is not UTF-8 text" -}}
{{- else if not (kindIs "invalid" .) -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* Text that Kubernetes would read `$(X)` and `$$` in: an environment value, a word of a command. (list . text) */}}
{{- define "smallest.word" -}}
{{- include "smallest.literal" (include "smallest.expand" .) -}}
{{- end -}}

{{/* The same of a text as it is. (text) */}}
{{- define "smallest.literal" -}}
{{- $text := . -}}
{{- if or (contains "$(" $text) (contains "$$" $text) -}}
{{- $text = replace "$" "$$" $text -}}
{{- end -}}
{{- $text | quote -}}
{{- end -}}

{{/* A whole number within limits, 0 and 2147483647 where none are given; nothing where the text is empty.
     (list . value path [least most]) */}}
{{- define "smallest.int" -}}
{{- $text := include "smallest.expand" . | trim -}}
{{- $least := 0 -}}
{{- $most := 2147483647 -}}
{{- if gt (len .) 4 }}{{ $least = index . 3 }}{{ $most = index . 4 }}{{ end -}}
{{- if $text -}}
{{- if not (regexMatch `^-?[0-9]+$` $text) -}}
{{- fail (printf "%s: %q is not a whole number" (index . 2) (trunc 40 $text)) -}}
{{- end -}}
{{- $number := regexReplaceAll `^0+([0-9])` $text "${1}" -}}
{{- $fits := or (lt (len $number) 19) (and (eq (len $number) 19) (le $number "9223372036854775807")) -}}
{{- if not (and $fits (ge (int64 $number) (int64 $least)) (le (int64 $number) (int64 $most))) -}}
{{- fail (printf "%s: %s is not between %d and %d" (index . 2) (trunc 40 $number) $least $most) -}}
{{- end -}}
{{- $number -}}
{{- end -}}
{{- end -}}

{{/* A number of processors, or nothing where the text is empty or zero. (list . value path) */}}
{{- define "smallest.cpus" -}}
{{- $text := include "smallest.expand" . | trim -}}
{{- if not (regexMatch `^([0-9]+\.?[0-9]*m?|\.[0-9]+|)$` $text) -}}
{{- fail (printf "%s: %q is not a number of processors" (index . 2) (trunc 40 $text)) -}}
{{- end -}}
{{- if regexMatch `[1-9]` $text -}}
{{- $most := ternary "1000000000" "1000000" (hasSuffix "m" $text) -}}
{{- $whole := regexReplaceAll `^0+` (regexFind `^[0-9]*` $text) "" -}}
{{- $rest := regexFind `\.[0-9]*` $text | trimPrefix "." -}}
{{- $large := gt (len $whole) (len $most) -}}
{{- if eq (len $whole) (len $most) }}{{ $large = or (gt $whole $most) (and (eq $whole $most) (regexMatch `[1-9]` $rest)) }}{{ end -}}
{{- if or $large (and (not $whole) (or (hasSuffix "m" $text) (hasPrefix "000" $rest))) -}}
{{- fail (printf "%s: %s is not between 0.001 and 1000000 processors" (index . 2) (trunc 40 $text)) -}}
{{- end -}}
{{- $text | trimSuffix "." -}}
{{- end -}}
{{- end -}}

{{/* A size in Compose's units, where k, m and g are powers of 1024, exact to 2^63 - 1; nothing where it is empty or
     zero. What stands behind the point is carried from unit to unit, for no 64 bits hold all of it at once.
     (list . value path) */}}
{{- define "smallest.bytes" -}}
{{- $text := include "smallest.expand" . | trim | lower -}}
{{- if not (regexMatch `^(-?[0-9]+(\.[0-9]{1,15})? ?([kmgtp]?i?b?)|)$` $text) -}}
{{- fail (printf "%s: %q is not a size" (index . 2) (trunc 40 $text)) -}}
{{- end -}}
{{- $number := regexFind `^[-0-9.]+` $text -}}
{{- $unit := $text | trimPrefix $number | trim | trunc 1 -}}
{{- $whole := regexReplaceAll `^0+([0-9])` (regexFind `^-?[0-9]+` $number) "${1}" -}}
{{- $rest := regexFind `\.[0-9]+` $number | trimPrefix "." -}}
{{- $scale := print "1" (repeat (len $rest) "0") | int64 -}}
{{- $part := regexReplaceAll `^0+([0-9])` $rest "${1}" | int64 -}}
{{- $fits := or (lt (len $whole) 19) (and (eq (len $whole) 19) (le $whole "9223372036854775807")) -}}
{{- $bytes := int64 0 -}}
{{- if and $fits (not (hasPrefix "-" $whole)) }}{{ $bytes = int64 $whole }}{{ else if $whole }}{{ $fits = false }}{{ end -}}
{{- range until (get (dict "k" 1 "m" 2 "g" 3 "t" 4 "p" 5) $unit | default 0 | int) -}}
{{- if gt $bytes 9007199254740991 }}{{ $fits = false }}{{ break }}{{ end -}}
{{- $part = mul $part 1024 -}}
{{- $bytes = add (mul $bytes 1024) (div $part $scale) -}}
{{- $part = mod $part $scale -}}
{{- end -}}
{{- if not $fits -}}
{{- fail (printf "%s: %s is not between 0 and 9223372036854775807 bytes" (index . 2) (trunc 40 $text)) -}}
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
