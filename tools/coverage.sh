#!/bin/bash
# Count the lines that ran in each room, and hold each room to its floor.
#
# Usage: tools/coverage.sh count BUILD [ROOT]      gcov's counters in BUILD -> "ROOM LINES COVERED" lines
#        tools/coverage.sh check FLOORS FIGURES   a table, and one line a finding
# BUILD is a build folder with compile_commands.json, ROOT (default: this repository) the folder of
# the sources. A room is a folder with C files; a folder inside a room is a room of its own. Those
# below tests/, bench/ and build/ are none. A line that is compiled several times, as in headers, is
# covered when one of its copies ran. FLOORS has "ROOM PERCENT" lines (tools/coverage.txt). Findings:
# a room below its floor, a room without a floor, a floor without a room.
# Exit: 0, 1 findings, 2 no counters or no figures.
set -euo pipefail
export LC_ALL=C

count() { # build folder, root of the sources
    local build root notes
    build=$(realpath "$1") root=$(realpath "${2:-$(dirname "${BASH_SOURCE[0]}")/..}")
    # What is compiled now: files of an earlier tree may lie beside it.
    mapfile -t notes < <(sed -n 's/.* -o \([^ ]*\)\.o -c .*/\1.gcno/p' "$build/compile_commands.json" |
        grep -v '^tests/' | sort)
    if ((${#notes[@]} == 0)) || [[ -z $(find "$build" -name '*.gcda' -print -quit) ]]; then
        echo "coverage: no counters in $1: build with OGPT_COVERAGE and run something" >&2
        exit 2
    fi
    # The annotated sources: "count:line:text", and "-:0:Source:PATH" before each. A count is a
    # number (with * when a part of the line did not run), ##### when nothing did, - when nothing could.
    (cd "$build" && gcov --stdout "${notes[@]}" 2>/dev/null) | awk -F : -v build="$build" -v root="$root/" '
        function tidied(path) { # absolute, without /./ and /x/../
            if (path !~ /^\//) {
                path = build "/" path
            }
            while (sub(/\/\.\//, "/", path) || sub(/\/[^\/]+\/\.\.\//, "/", path))
                ;
            return path
        }
        $1 ~ /^ *-$/ && $2 ~ /^ *0$/ {
            if ($3 == "Source") {
                file = tidied($4)
                file = index(file, root) == 1 ? substr(file, length(root) + 1) : ""
                if (file ~ /^(tests|bench|build)\// || file !~ /\//) {
                    file = ""
                }
                room = file
                sub(/\/[^\/]*$/, "", room)
            }
            next
        }
        file != "" && $1 ~ /[0-9#=]/ {
            line = file ":" ($2 + 0)
            if (!(line in known)) {
                known[line] = 1
                lines[room]++
            }
            if ($1 !~ /[#=]/ && !(line in ran)) {
                ran[line] = 1
                covered[room]++
            }
        }
        END {
            for (room in lines) {
                print room, lines[room], covered[room] + 0
            }
        }' | sort
}

check() { # floors, figures
    [[ -s $2 ]] || {
        echo "coverage: no figures in $2" >&2
        exit 2
    }
    awk '
        function share(covered, lines) { # percent, rounded down to a tenth
            return int(1000 * covered / lines) / 10
        }
        FILENAME == ARGV[1] {
            if ($0 !~ /^#/ && NF == 2) {
                floor[$1] = $2
            }
            next
        }
        FNR == 1 { printf "%-22s %7s %7s %6s %6s\n", "room", "lines", "covered", "%", "floor" }
        {
            room = $1
            there[room] = 1
            percent = share($3, $2)
            printf "%-22s %7d %7d %6.1f %6s\n", room, $2, $3, percent, (room in floor) ? floor[room] : "-"
            lines += $2
            covered += $3
            if (!(room in floor)) {
                found = found sprintf("coverage: %s has no floor: add the line \"%s %d\" to the table\n",
                    room, room, int(percent))
            } else if (percent < floor[room] + 0) {
                found = found sprintf("coverage: %s: %.1f %% of its lines ran, %s %% is its floor: test what is new\n",
                    room, percent, floor[room])
            }
        }
        END {
            printf "%-22s %7d %7d %6.1f\n", "all", lines, covered, share(covered, lines)
            for (room in floor) {
                if (!(room in there)) {
                    found = found sprintf("coverage: no room %s: remove its floor\n", room)
                }
            }
            printf "%s", found
            exit found != ""
        }' "$1" "$2"
}

case ${1:-} in
count) count "${@:2}" ;;
check) check "${@:2}" ;;
*)
    sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
