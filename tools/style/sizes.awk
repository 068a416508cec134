# Sizes, from "LINES FILE" of every file. Prints RULE|FILE:LINE: what.
# A room is a folder with C files (tests/, bench/ and tools/ are none); its lines are those of its
# C files. The command line is cli/ with all rooms in it: its limit grows with the commands.
function refuse(rule, file, line, what) {
    printf "%s|%s:%d: %s\n", rule, file, line, what
}
BEGIN {
    file_most = 600
    command_most = 200
    room_most = 3500
    most["base"] = most["datasets"] = 4200
    cli_framework = 3300 # with the files of figures
    cli_a_command = 220 # on average, with what commands share
}
$1 > file_most && $2 !~ /\/golden\// { # a recorded list grows with what is recorded
    refuse("size", $2, $1, $1 " lines, at most " file_most ": split it")
}
$2 ~ /^cli\/commands\/.*\/cmd_[a-z_]*\.c$/ && $1 > command_most {
    refuse("command", $2, $1, "a command of " $1 " lines, at most " command_most ": split it")
}
$2 ~ /^cli\/commands\/.*\/cmd_[a-z_]*\.c$/ {
    n_commands++
}
$2 ~ /\.[ch]$/ && $2 !~ /^(tests|bench|tools)\// && $2 ~ /\// {
    room = $2
    sub(/\/[^\/]*$/, "", room)
    lines[room] += $1
    cli += room ~ /^cli(\/|$)/ ? $1 : 0
}
END {
    for (room in lines) {
        limit = room in most ? most[room] : room_most
        if (lines[room] > limit) {
            refuse("room", room, 1, "a room of " lines[room] " lines, at most " limit ": make two of it")
        }
    }
    cli_most = cli_framework + cli_a_command * n_commands
    if (cli > cli_most) {
        refuse("room", "cli", 1, "cli/ and its commands have " cli " lines, at most " cli_most " for " n_commands " command files")
    }
}
