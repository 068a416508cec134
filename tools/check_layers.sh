#!/bin/bash
# Refuse an include that tools/layers.txt does not allow.
#
# Usage: tools/check_layers.sh [ROOT [TABLE]]
# Reads every C file below the folders of ROOT (default: this repository), folders named
# fixture_* excepted. Each finding is one line: file:line, what was found, what is allowed.
# Exit: 0 nothing to refuse, 1 findings, 2 the table or the tree cannot be read.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${1:-$(dirname "$here")}
table=${2:-$here/layers.txt}
[[ -d $root && -r $table ]] || {
    echo "check_layers: cannot read the tree $root or the table $table" >&2
    exit 2
}
cd "$root"
mapfile -t files < <(find . \( -name '.?*' -o -path ./build -o -path ./demo \
    -o -name 'fixture_*' \) -prune -o -type f -name '*.[ch]' -print |
    sed 's|^\./||' | sort)
((${#files[@]})) || {
    echo "check_layers: no C file below $root" >&2
    exit 2
}

awk -v root="$root" '
function glob_match(text, pattern) { # * stands for any characters, everything else for itself
    gsub(/\./, "[.]", pattern)
    gsub(/\*/, ".*", pattern)
    return text ~ ("^" pattern "$")
}
function refuse(what) {
    printf "%s:%d: %s\n", FILENAME, FNR, what
    n_refused++
}
function room_of(path) { # its folder: rooms may lie in one another
    sub(/\/[^\/]*$/, "", path)
    if (path ~ /^(tests|bench|tools|examples)(\/|$)/) {
        sub(/\/.*/, "", path)
    }
    return path
}
function check_restricted(name, how,   i, k, n, pattern) {
    for (i = 1; i <= n_only; i++) {
        if (!glob_match(name, only_name[i])) {
            continue
        }
        n = split(only_files[i], pattern, " ")
        for (k = 1; k <= n; k++) {
            if (glob_match(FILENAME, pattern[k])) {
                return
            }
        }
        refuse("room " room_of(FILENAME) " " how " " name ", which only " only_files[i] " may")
    }
}
function check_room(header,   from, to) {
    from = room_of(FILENAME)
    to = room_of(header)
    if (allowed[from] ~ / \* /) {
        return
    }
    if (!(to in allowed) || header ~ /\.\.\//) {
        refuse("room " from " includes \"" header "\": write it as \"room/file.h\"")
    } else if (header !~ /\.(h|def)$/) {
        refuse("room " from " includes \"" header "\": only .h and .def files are included")
    } else if (from == to) {
        return
    } else if (header ~ /[/_]internal\.h$/) {
        refuse("room " from " includes " header ", which is private to room " to)
    } else if (index(allowed[from], " " to " ") == 0) {
        refuse("room " from " may not include room " to " (\"" header "\"); allowed: itself" \
               substr(allowed[from], 1, length(allowed[from]) - 1))
    }
}

NR == FNR { # the table
    sub(/#.*/, "")
    rest = ""
    for (i = 3; i <= NF; i++) {
        rest = rest $i (i < NF ? " " : "")
    }
    if ($1 == "room") {
        allowed[$2] = rest == "" ? " " : " " rest " "
    } else if ($1 == "only" && NF >= 3) {
        only_name[++n_only] = $2
        only_files[n_only] = rest
    } else if (NF) {
        refuse("a line of the table must start with room or only")
    }
    next
}
FNR == 1 {
    n_files++
    if (!(room_of(FILENAME) in allowed)) {
        refuse("folder " room_of(FILENAME) " holds C files but has no line in the table")
        nextfile
    }
}
/^[ \t]*#[ \t]*define[ \t]/ {
    line = $0
    sub(/^[ \t]*#[ \t]*define[ \t]+/, "", line)
    sub(/[^A-Za-z0-9_].*/, "", line)
    check_restricted(line, "defines")
}
/^[ \t]*#[ \t]*include/ {
    n_includes++
    line = $0
    sub(/^[ \t]*#[ \t]*include[ \t]*/, "", line)
    if (line ~ /^"[^"]+"/) {
        split(line, part, "\"")
        check_room(part[2])
        check_restricted(part[2], "includes")
    } else if (line ~ /^<[^>]+>/) {
        sub(/^</, "", line)
        sub(/>.*/, "", line)
        check_restricted(line, "includes")
    } else {
        refuse("room " room_of(FILENAME) " includes a name that cannot be read here: " $0)
    }
}
END {
    printf "%d files, %d includes, %d refused\n", n_files, n_includes, n_refused
    exit n_refused > 0
}' "$table" "${files[@]}"
