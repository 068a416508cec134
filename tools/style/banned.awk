# Calls that are banned, and macros that return, on the lines of split.awk. Prints RULE|FILE:LINE: what.
function refuse(what) {
    printf "banned|%s:%d: %s\n", $1, $2, what
}
function calls(code, names) { # whole words followed by a bracket
    return code ~ ("(^|[^A-Za-z0-9_.>])(" names ")[ \t]*\\(")
}
BEGIN { FS = "\037" }
$1 != file {
    file = $1
    in_macro = 0
    room = substr(file, 1, index(file, "/") - 1)
    program = room == "cli" || room == "tests" || room == "bench" || room == "examples"
}
{
    code = $3
    if (calls(code, "rand|srand|random|drand48")) {
        refuse("C library random numbers: use base/rng.h")
    }
    if (calls(code, "atoi|atol|atoll|atof")) {
        refuse("numbers parsed without a check: use strtoll or strtod and look at the end")
    }
    if (calls(code, "strcpy|strcat|sprintf|vsprintf|gets")) {
        refuse("writes without a size: use snprintf")
    }
    if (calls(code, "setlocale|system") || (room != "tests" && calls(code, "fork"))) {
        refuse("setlocale, fork and system are not used here (docs/ARCHITECTURE.md)")
    }
    if (!program && (calls(code, "printf|fprintf|vprintf|puts|putchar|perror|exit|abort") ||
                     code ~ /(^|[^A-Za-z0-9_])(stdout|stderr)([^A-Za-z0-9_]|$)/)) {
        refuse("only cli/ prints and exits: return an error code and set the message")
    }
    if (room != "base" && room != "tests" &&
        calls(code, "malloc|calloc|realloc|free|strdup|aligned_alloc|posix_memalign")) {
        refuse("allocation past base/arena.h: use mem_alloc and its like")
    }
    if (code ~ /^[ \t]*#[ \t]*define[ \t]/) {
        in_macro = 1
    }
    if (in_macro && code ~ /(^|[^A-Za-z0-9_])return([^A-Za-z0-9_]|$)/ && room != "tests") {
        refuse("a macro that returns hides the way out of a function")
    }
    in_macro = in_macro && code ~ /\\$/
}
