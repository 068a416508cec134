#!/bin/bash
# tests/cli/world_grid.sh - ogpt world grid: trainings that are killed go on, and give the rows of an undisturbed
# grid at any number of threads; other options are refused where a grid is. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

small=(--size 4 --layers 1,2 --games 200,600 --d-model 16 --heads 2 --batch 32 --score-games 48 --planted 4)
expect 0 world grid whole "${small[@]}" --steps 120 --threads 1 --csv rows-whole
[ "$(wc -l <rows-whole/cells.csv)" = 5 ] || fail 'two layers times two corpora'
[ "$(sqlite3 ogpt-results.db 'SELECT count(*) FROM world_grid_cells WHERE held_excess > 0 AND exposure_none > 0')" = 4 ] ||
    fail 'a training has no scores'
expect 0 verify whole/held-out.ogpc whole/games-200.ogpc whole/games-600.ogpc

# Killed and typed again until it is through, by other threads.
killed=0
for ((i = 0; i < 40; i++)); do
    "$OGPT" world grid cut "${small[@]}" --steps 120 --threads $((1 + i % 3)) --csv rows-part >out.txt 2>&1 &
    pid=$!
    sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
    kill -KILL "$pid" 2>/dev/null && killed=$((killed + 1))
    wait "$pid" 2>/dev/null && break
done
expect 0 world grid cut "${small[@]}" --steps 120 --threads 2 --csv rows-part
cmp -s rows-whole/cells.csv rows-part/cells.csv || fail "after $killed kills: other rows"
# Finished trainings are taken as they are: more cells beside them cost only themselves.
before=$(stat -c %Y cut/layers-1-games-200-seed-1/step-00000120/MANIFEST.json)
expect 0 world grid cut "${small[@]}" --steps 120 --seeds 2 --csv rows-more
[ "$(wc -l <rows-more/cells.csv)" = 9 ] || fail 'a second seed doubles the rows'
[ "$before" = "$(stat -c %Y cut/layers-1-games-200-seed-1/step-00000120/MANIFEST.json)" ] || fail 'a finished training was made again'
cut -d, -f1-5 rows-whole/cells.csv | tail -n +2 | while read -r row; do
    grep -qF "$row" rows-more/cells.csv || fail "row $row is not there with more seeds"
done

# Interrupted politely, it says so and goes on.
stopped INT 130 ogpt-results.db world grid polite "${small[@]}" --steps 2000
expect 0 world grid whole "${small[@]}" --steps 120 --csv rows-whole
refuse 2 'steps' world grid whole "${small[@]}" --steps 100
refuse 2 'holds other games' world grid whole "${small[@]}" --steps 120 --seed 2
refuse 2 'more than half' world grid new --size 4 --games 100 --planted 10 --copies 8
refuse 2 'expected a whole number' world grid new --games 100,x
refuse 2 'does not divide' world grid new --heads 3
[ ! -e new ] || fail 'a refused grid left a folder'
check_end
