#!/bin/bash
# Lines are counted by room, each copy of a line once, and a room below its floor is refused.
set -euo pipefail
coverage=$OGPT_SOURCE/tools/coverage.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/ogpt-coverage-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

# The fixture has two rooms, one inside the other, and a test. Six lines count in `outer`, and one
# does not run; those of its header run in the copy that `outer/inner` compiles.
cp -r "$OGPT_SOURCE/tests/tools/fixture_coverage" tree
mkdir build
cd build
mkdir -p tests
objects=()
for source in outer/one outer/inner/two tests/main; do
    object=${source//\//_}.c.o
    [[ $source == tests/* ]] && object=tests/main.c.o
    objects+=("$object")
    gcc -O0 --coverage -I../tree -o "$object" -c "../tree/$source.c"
    echo "  \"command\": \"gcc -I$work/tree -o $object -c $work/tree/$source.c\"," >>compile_commands.json
done
touch left_behind.c.gcno # of a source that is gone
status=0
bash "$coverage" count . ../tree >../figures 2>../err || status=$?
[[ $status == 2 ]] && grep -q 'no counters' ../err || { echo "no run, no figures: exit 2 expected"; exit 1; }
gcc --coverage -o program "${objects[@]}"
./program
cd ..
bash "$coverage" count build tree >figures
diff -u - figures <<'EOF'
outer 6 5
outer/inner 2 2
EOF

# check FLOORS STATUS TEXT: these floors ("ROOM PERCENT, ...") give this exit status and finding.
check() {
    local status=0
    tr ',' '\n' <<<"$1" >floors
    bash "$coverage" check floors figures >out 2>&1 || status=$?
    [[ $status == "$2" ]] && grep -qF -- "$3" out && return
    echo "floors '$1': exit $2 and '$3' expected, found $status and:"
    cat out
    exit 1
}
check '# room percent,outer 83,outer/inner 100' 0 'outer/inner                  2       2  100.0    100'
check 'outer 84,outer/inner 100' 1 'coverage: outer: 83.3 % of its lines ran, 84 % is its floor'
check 'outer 83' 1 'coverage: outer/inner has no floor: add the line "outer/inner 100"'
check 'outer 83,outer/inner 100,gone 10' 1 'coverage: no room gone: remove its floor'
check '' 1 'coverage: outer has no floor'
# A figure that is planted too low, and none at all.
echo 'outer 6 4' >figures
check 'outer 83' 1 'coverage: outer: 66.6 % of its lines ran'
: >figures
check 'outer 83' 2 'coverage: no figures'

# Each room of this repository has one floor.
while read -r room floor; do
    [[ $room == '#'* ]] && continue
    compgen -G "$OGPT_SOURCE/$room/*.[ch]" >/dev/null || { echo "tools/coverage.txt: no room $room"; exit 1; }
    [[ $floor =~ ^[0-9]+$ ]] && ((floor > 0 && floor <= 100)) || { echo "$room: floor $floor"; exit 1; }
done <"$OGPT_SOURCE/tools/coverage.txt"
[[ -z $(grep -v '^#' "$OGPT_SOURCE/tools/coverage.txt" | cut -d ' ' -f 1 | sort | uniq -d) ]]
