# Lines of pages, scripts and tables in the form of split.awk: FILE, line number, nothing, text that
# is a comment (the whole line of a page), all else. Reads what is not C.
BEGIN { OFS = "\037" }
{
    comment = code = ""
    if (FILENAME ~ /\.md$/) {
        comment = $0
    } else if (match($0, /(^|[ \t])#/)) {
        comment = substr($0, RSTART + RLENGTH)
        code = substr($0, 1, RSTART - 1)
    } else {
        code = $0
    }
    print FILENAME, FNR, "", comment, code
}
