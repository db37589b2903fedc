#!/bin/sh
# What is done to volumes before a container starts. Whatever a compose file says reaches it as an argument, and never as
# code: the owner of what is copied, and five words for each thing to do.
owner=$1
shift

# Two pods may share a volume: one of them fills it. Beside what a container sees, a claim keeps what was done.
lock() {
  state=$volume/tycho
  mkdir -p "$state"
  exec 9>"$state/lock"
  if command -v flock >/dev/null; then flock 9; fi
}

# Find a path in an image; its links lead to where they would lead there.
find_in_image() {
  rest=$path at= links=0
  while [ -n "$rest" ]; do
    rest=${rest#/}
    step=${rest%%/*}
    rest=${rest#"$step"}
    case $step in
      '' | .) ;;
      ..) at=${at%/*} ;;
      *)
        if [ -L "$source$at/$step" ] && [ "$links" -lt 40 ]; then
          links=$((links + 1))
          link=$(readlink "$source$at/$step")
          case $link in /*) at= ;; esac
          rest=$link$rest
        else
          at=$at/$step
        fi
        ;;
    esac
  done
  from=$source$at
}

# A volume that is empty gets the folder of the image; one where that was broken off gets it again.
from_image() {
  find_in_image
  if [ ! -d "$from" ]; then
    new_folder
    return 0
  fi
  lock
  if [ -e "$state/copying" ] || [ -z "$(ls -A "$folder" 2>/dev/null)" ]; then
    mkdir -p "$folder"
    : >"$state/copying"
    preserve=-a
    chown 1:1 "$state/copying" 2>/dev/null || preserve=-dR # a share that knows no owners
    [ "$1" = owner ] || cp "$preserve" "$from/." "$folder/"
    chmod "$(stat -c %a "$from")" "$folder"
    [ "$preserve" = -dR ] || chown "$(stat -c %u:%g "$from")" "$folder"
    rm "$state/copying"
  fi
  exec 9>&-
}

# Where the image has nothing, every user may look into the folder, and the one that the file names may write to it.
# The kubelet would make it with mode 0750.
new_folder() {
  [ -d "$folder" ] || make_folder "$folder"
}

make_folder() {
  [ -d "$1" ] || {
    make_folder "${1%/*}"
    mkdir "$1"
    [ -z "$owner" ] || chown "$owner" "$1" 2>/dev/null || :
  }
}

# One file takes its place at once: a program reads the old one or the new one.
put() {
  make_folder "${2%/*}"
  rm -rf "${2%/*}/.tycho-new"
  cp -L "$1" "${2%/*}/.tycho-new"
  chmod "$(stat -L -c %a "$1")" "${2%/*}/.tycho-new"
  [ -z "$owner" ] || chown "$owner" "${2%/*}/.tycho-new" 2>/dev/null || :
  mv -f "${2%/*}/.tycho-new" "$2"
}

# The files of a mounted ConfigMap, without the folders that it keeps them in.
list_files() {
  (cd "$source" && find -L . -path './..*' -prune -o -type f -print)
}

digests() {
  tr '\n' '\0' | (cd "$1" && xargs -0r sha256sum 2>/dev/null) || :
}

copy_files() {
  list_files | while IFS= read -r name; do
    put "$source/$name" "$folder/$name"
  done
}

# A file is copied when it is new, or when it has changed and the program has left its copy as it was.
seed_files() {
  lock
  if [ ! -d "$folder" ]; then
    mkdir -p "$folder"
    chmod "$(stat -c %a "$volume")" "$folder"
    chown "${owner:-$(stat -c %u:%g "$volume")}" "$folder" 2>/dev/null || :
  fi
  given=$owner
  owner=${owner:-$(stat -c %u:%g "$folder")}
  touch "$state/seeds"
  list_files | digests "$source" >"$state/new"
  list_files | digests "$folder" >"$state/now"
  awk '
    { digest = substr($0, 1, 64); name = substr($0, 67) }
    FILENAME == ARGV[1] { seeded[name] = digest; next }
    FILENAME == ARGV[2] { now[name] = digest; next }
    (name in now) && now[name] == digest { if (seeded[name] != digest) print "=" $0; next }
    (name in now) != (name in seeded) { next }
    !(name in now) || now[name] == seeded[name] { print "+" $0 }
  ' "$state/seeds" "$state/now" "$state/new" >"$state/todo"
  while IFS= read -r line; do
    name=${line#*  }
    case $line in
      +*)
        [ ! -d "$folder/$name" ] || continue
        put "$source/$name" "$folder/$name"
        ;;
    esac
    printf '%s\n' "${line#?}" >>"$state/seeds"
  done <"$state/todo"
  owner=$given
  exec 9>&-
}

while [ $# -gt 0 ]; do
  verb=$1 volume=$2 folder=$2/$3 source=$4 path=$5
  shift 5
  case $verb in
    content | owner) from_image "$verb" ;;
    new) new_folder ;;
    seed) seed_files ;;
    copy) copy_files ;;
    folder) make_folder "${folder%/}/$path" ;;
    file)
      make_folder "$(dirname "${folder%/}/$path")"
      [ -e "${folder%/}/$path" ] || put /dev/null "${folder%/}/$path"
      ;;
  esac
done
