# The one dialect of C (docs/STYLE.md), on the lines of split.awk. Prints RULE|FILE:LINE: what.
#
# Lines are read into statements: text up to a ; { or }, joined by blanks. `depth` counts braces;
# a brace in a list of initial values counts as one.
function refuse(rule, line, what) {
    printf "%s|%s:%d: %s\n", rule, file, line, what
}
function is_declaration(text) {
    if (text ~ /^(return|goto|case|else|if|for|while|do|switch|break|continue|typedef)([^A-Za-z0-9_]|$)/) {
        return 0
    }
    return text ~ /^([A-Za-z_][A-Za-z0-9_]*[ *]+)+[A-Za-z_][A-Za-z0-9_]* *(\[[^=]*\])* *(=|,|;|$)/ ||
           text ~ /^([A-Za-z_][A-Za-z0-9_]*[ *]+)+\( *\*/
}
# How many parameters stand in the brackets that open at `from`; -1 if they do not close.
function count_parameters(text, from,   i, c, level, n, any) {
    level = n = any = 0
    for (i = from; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "(" || c == "[" || c == "{") {
            level++
        } else if (c == ")" || c == "]" || c == "}") {
            if (--level == 0) {
                return any && substr(text, from) !~ /^\( *void *\)/ ? n + 1 : 0
            }
        } else if (c == "," && level == 1 && substr(text, i) !~ /^, *\.\.\./) {
            n++
        } else if (c != " ") {
            any = 1
        }
    }
    return -1
}
# The name before the first bracket of a function's head, "" if this is none.
function function_name(text,   at, head) {
    at = index(text, "(")
    head = substr(text, 1, at - 1)
    if (at == 0 || head ~ /=/ || head !~ /^[A-Za-z_][A-Za-z0-9_ *]*[ *][A-Za-z_][A-Za-z0-9_]*$/) {
        return ""
    }
    sub(/.*[ *]/, "", head)
    return head ~ /^(if|for|while|switch|return|sizeof|__attribute__|_Static_assert)$/ ? "" : head
}
function check_head(text, line,   name, n) {
    name = function_name(text)
    if (name == "" || (text ~ /;$/ && file !~ /\.h$/)) {
        return
    }
    n = count_parameters(text, index(text, "("))
    if (n > 7 && file !~ /^num\//) {
        refuse("parameters", line, name " has " n " parameters, at most 7: pass a struct")
    }
}
# Rows of an option table name their members, or are macros.
function check_row(text, line,   i, c, level, part) {
    if (text !~ /[^A-Za-z0-9_]OPT_[A-Z]/ || text ~ /;/ || text !~ /""|offsetof|\.[a-z]/) {
        return
    }
    text = text ","
    part = ""
    level = 0
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        level += (c == "(") - (c == ")")
        if (c != "," || level > 0) {
            part = part c
            continue
        }
        if (part !~ /^[ \\]*(\.|$)/ && part !~ /^[ \\]*(OPTION_)?[A-Z][A-Z0-9_]*( *\(.*)?$/ ||
            part ~ /^[ \\]*OPT_/) {
            refuse("options", line, "an option without the names of its members: write .name = \"...\"")
            return
        }
        part = ""
    }
}
function check_statement(text, line,   name, rest, i) {
    # Chains, and the variable in them.
    if (match(text, /[a-z_][A-Za-z0-9_]* *!= *0 *\? *[a-z_][A-Za-z0-9_]* *:/)) {
        name = rest = substr(text, RSTART, RLENGTH)
        sub(/[^A-Za-z0-9_].*/, "", name)
        sub(/.*\? */, "", rest)
        sub(/ *:$/, "", rest)
        if (name == rest && name ~ error_names) {
            refuse("chain", line, "write the chain as rc = rc ? rc : f();")
        }
    }
    if (match(text, /[a-z_][A-Za-z0-9_]* *== *0 *\? [^:]*: *[a-z_][A-Za-z0-9_]* *[;,)]/)) {
        name = rest = substr(text, RSTART, RLENGTH)
        sub(/[^A-Za-z0-9_].*/, "", name)
        sub(/ *[;,)]$/, "", rest)
        sub(/.*[: ]/, "", rest)
        if (name == rest && name ~ error_names) {
            refuse("chain", line, "write the chain as rc = rc ? rc : f();")
        }
    }
    if (match(text, /^(int +)?[a-z_][A-Za-z0-9_]* = [a-z_][A-Za-z0-9_]*( *(!=|<) *0)? *\? *[a-z_][A-Za-z0-9_]* *:/)) {
        name = text
        sub(/^int +/, "", name)
        sub(/ .*/, "", name)
        if (name != "rc" &&
            text ~ ("^(int +)?" name " = " name "( *(!=|<) *0)? *\\? *" name " *: *[a-z_0-9]+\\(")) {
            refuse("rc", line, "an error code in `" name "`: its name is rc")
        }
    }
    # A local int of one of these names that the function returns is an error code; one that a
    # call fills through its address is the status of a process.
    if (text ~ /^(const +)?int +(code|err|error|ret|retval|res|result|status|e)( *=|;|,)/) {
        name = text
        sub(/^(const +)?int +/, "", name)
        sub(/[^a-z].*/, "", name)
        suspect[name] = line
    }
    for (name in suspect) {
        if (index(text, "&" name)) {
            delete suspect[name]
        }
    }
    if (match(text, /^return [a-z]+( *[;?]|$)/)) {
        name = substr(text, 8)
        sub(/[^a-z].*/, "", name)
        if (name in suspect) {
            refuse("rc", suspect[name], "an error code in `" name "`: its name is rc")
            delete suspect[name]
        }
    }
}
function end_statement(text, line) {
    sub(/^ +/, "", text)
    if (depth == 0) {
        check_head(text, line)
    } else if (in_function) {
        check_statement(text, line)
        if (depth == block_depth && fresh) {
            if (is_declaration(text)) {
                n_declared++
            } else {
                fresh = 0
            }
        }
    }
}

BEGIN {
    FS = "\037"
    error_names = "^(rc|code|err|error|ret|retval|res|result|status|bad|failed|e)$"
}
$1 != file {
    file = $1
    depth = in_function = fresh = parens = in_macro = 0
    statement = ""
    split("", suspect)
}
{
    code = $3
    line = $2
    if (match(code, /[=!]= *NULL([^A-Za-z0-9_]|$)/) || code ~ /(^|[^A-Za-z0-9_])NULL *[=!]= /) {
        refuse("null", line, "comparison with NULL: write p or !p")
    }
    if (code ~ /(^|[^A-Za-z0-9_])sizeof *($|[^( ])/) {
        refuse("sizeof", line, "write sizeof(x)")
    }
    if (code ~ /^[ \t]*#/ || in_macro) { # only rows of options are looked for in a macro
        in_macro = code ~ /\\$/
        macro = macro " " code
        if (!in_macro) {
            if (match(macro, /\{[^{}]*\}/)) {
                check_row(substr(macro, RSTART + 1, RLENGTH - 2), line)
            }
            macro = ""
        }
        next
    }
    if (code ~ /^[ \t]*$/) {
        if ($4 == "" && fresh && n_declared && statement ~ /^ *$/ && depth == block_depth) {
            refuse("blank", line, "no blank line after the declarations of a block")
            fresh = 0
        }
        next
    }
    sub(/^[ \t]+/, "", code)
    n = length(code)
    if (statement ~ /^ *$/) {
        statement_line = line
    }
    statement = statement " "
    for (i = 1; i <= n; i++) {
        c = substr(code, i, 1)
        parens += (c == "(") - (c == ")")
        if (statement ~ /^ *$/) {
            statement_line = line
        }
        if (c == "{" && parens <= 0) {
            if (depth == 0 && function_name(substr(statement, 2)) != "" && statement ~ /\) *$/) {
                end_statement(statement, statement_line)
                in_function = 1
                is_list[depth + 1] = 0
                split("", suspect)
            } else if (statement ~ /(=|,|\]|\{) *$/ || statement ~ /^ *$/ && is_list[depth] ||
                       statement ~ /(^|[^A-Za-z0-9_])(enum|struct|union)( [A-Za-z0-9_]+)? *$/) {
                is_list[depth + 1] = 1
            } else {
                is_list[depth + 1] = 0
                end_statement(statement, statement_line)
            }
            depth++
            row[depth] = ""
            row_line[depth] = line
            is_enum[depth] = statement ~ /(^|[^A-Za-z0-9_])enum( [A-Za-z0-9_]+)? *$/
            if (in_function && !is_list[depth]) {
                block_depth = depth
                fresh = 1
                n_declared = 0
            }
            if (!is_list[depth]) {
                statement = ""
            } else {
                statement = statement c
            }
        } else if (c == "}" && parens <= 0) {
            if (row[depth] !~ /\{/ && !is_enum[depth]) {
                check_row(row[depth], row_line[depth])
            }
            if (is_list[depth]) {
                statement = statement c
            } else {
                statement = ""
            }
            depth--
            if (depth > 0) {
                row[depth] = row[depth] "{"
            }
            if (!is_list[depth + 1]) {
                fresh = 0
            }
            if (depth == 0) {
                in_function = 0
                if (statement !~ /=/) {
                    statement = ""
                }
            }
        } else if (c == ";" && parens <= 0) {
            statement = statement c
            if (depth == 0 || !is_list[depth]) {
                end_statement(statement, statement_line)
                statement = ""
            }
            if (depth > 0) {
                row[depth] = row[depth] c
            }
        } else {
            statement = statement c
            if (depth > 0) {
                row[depth] = row[depth] c
            }
        }
    }
    if (depth > 0) {
        row[depth] = row[depth] " "
    }
}
