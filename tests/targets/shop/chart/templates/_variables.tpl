{{/* Text with its variables replaced, as Compose does: $V ${V} ${V-d} ${V:-d} ${V+r} ${V:+r} ${V?e} ${V:?e} $$, nested.
     Every piece is printed as soon as it is known, and a default that is used is read in its place: the work grows with
     the text. The limits are those of the compiler. (dict "text" … "context" $) */}}
{{- define "shop.interpolate" -}}
{{- $text := kindIs "string" .text | ternary .text (kindIs "invalid" .text | ternary "" (toJson .text)) -}}
{{- if not (contains "$" $text) -}}
{{- $text -}}
{{- else -}}
{{- $variables := .context.Values.variables | default dict -}}
{{- $after := list -}}
{{- $steps := 0 -}}
{{- $bytes := 0 -}}
{{- range splitList "$" $text | len | mul 2 | min 40002 | int | until -}}
  {{- $pieces := splitn "$" 2 $text -}}
  {{- $pieces._0 -}}
  {{- if not (contains "$" $text) -}}
    {{- if not $after }}{{ break }}{{ end -}}
    {{- $text = last $after -}}
    {{- $after = initial $after -}}
    {{- continue -}}
  {{- end -}}
  {{- $steps = add1 $steps -}}
  {{- $text = $pieces._1 -}}
  {{- $name := "" -}}
  {{- $operator := "" -}}
  {{- $operand := "" -}}
  {{- if hasPrefix "$" $text -}}
    {{- "$" -}}
    {{- $text = trimPrefix "$" $text -}}
  {{- else if hasPrefix "{" $text -}}
    {{- /* Up to the brace that closes it: inner ones are counted; where they do not balance, it is the line's last one. */ -}}
    {{- $left := substr 0 65536 $text -}}
    {{- $group := regexFind `^\{[^{}\n]*\}` $left -}}
    {{- $steps = add $steps 2 -}}
    {{- if not $group -}}
      {{- $open := 0 -}}
      {{- $length := 0 -}}
      {{- $last := 0 -}}
      {{- $ended := false -}}
      {{- range len $left | min 20000 | int | until -}}
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
      {{- if gt $steps 20000 }}{{ fail "more than 20000 dollar signs and braces to expand" }}{{ end -}}
      {{- if and $open (not $ended) (gt (len $text) 65536) }}{{ fail "an expression is longer than 64 KiB" }}{{ end -}}
      {{- if not $last }}{{ fail (print "invalid interpolation format: $" (trunc 1000 $text)) }}{{ end -}}
      {{- $group = substr 0 (int $last) $text -}}
    {{- end -}}
    {{- $text = trimPrefix $group $text -}}
    {{- $inside := substr 1 (int (sub (len $group) 1)) $group -}}
    {{- $name = regexFind `^[A-Za-z_][A-Za-z0-9_]*` $inside -}}
    {{- $rest := trimPrefix $name $inside -}}
    {{- $operator = regexFind `^:?[-+?]` $rest -}}
    {{- if or (not $name) (and $rest (not $operator)) }}{{ fail (printf "invalid interpolation format: ${%s}" (trunc 1000 $inside)) }}{{ end -}}
    {{- $operand = trimPrefix $operator $rest -}}
  {{- else -}}
    {{- $name = regexFind `^[A-Za-z_][A-Za-z0-9_]*` $text -}}
    {{- $text = trimPrefix $name $text -}}
    {{- if not $name }}${{ end -}}
  {{- end -}}
  {{- if gt $steps 20000 }}{{ fail "more than 20000 dollar signs and braces to expand" }}{{ end -}}
  {{- $given := get $variables $name -}}
  {{- $set := and $name (hasKey $variables $name) (not (kindIs "invalid" $given)) -}}
  {{- $value := not $set | ternary "" (kindIs "string" $given | ternary $given (toJson $given)) -}}
  {{- if hasPrefix ":" $operator }}{{ $set = ne $value "" }}{{ end -}}
  {{- if hasSuffix "+" $operator | ternary $set (and (not $set) (hasSuffix "-" $operator)) -}}
    {{- if ge (len $after) 50 }}{{ fail "defaults nested more than 50 deep" }}{{ end -}}
    {{- $after = append $after $text -}}
    {{- $text = $operand -}}
  {{- else if and (not $set) (hasSuffix "?" $operator) -}}
    {{- $message := include "shop.interpolate" (dict "text" $operand "context" $.context) -}}
    {{- fail (printf "required variable %s is missing a value%s" $name ($message | empty | ternary "" (print ": " $message))) -}}
  {{- else if and $set (not (hasSuffix "+" $operator)) -}}
    {{- if regexMatch `\x{FFFD}` (replace "\uFFFD" "" $value) }}{{ fail (printf "variables.%s: not UTF-8 text" $name) }}{{ end -}}
    {{- $bytes = add $bytes (len $value) -}}
    {{- if gt $bytes 4194304 }}{{ fail "expands to more than 4 MiB" }}{{ end -}}
    {{- $value -}}
  {{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The same where a whole number is due, nothing where it is empty. (dict "text" … "least" … "most" … "key" … "context" $) */}}
{{- define "shop.integer" -}}
{{- $text := include "shop.interpolate" . | trim -}}
{{- if $text -}}
{{- if not (regexMatch `^-?[0-9]+$` $text) }}{{ fail (printf "%s: %q is not a whole number" .key (trunc 40 $text)) }}{{ end -}}
{{- $number := regexReplaceAll `^0+([0-9])` $text "${1}" -}}
{{- $least := .least | default 0 -}}
{{- $most := .most | default 2147483647 -}}
{{- if or (gt (len $number) 11) (lt (int64 $number) (int64 $least)) (gt (int64 $number) (int64 $most)) -}}
{{- fail (printf "%s: %s is not between %d and %d" .key (trunc 40 $text) $least $most) -}}
{{- end -}}
{{- $number -}}
{{- end -}}
{{- end -}}
