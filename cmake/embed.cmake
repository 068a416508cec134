# cmake -DFOLDER=explorer "-DPATTERNS=*.html,*.css" -DHEADER=explorer/explorer_page.h -DTYPE=ExplorerSource
#     -DNAME=explorer_sources -DOUT=FILE -P embed.cmake: files of a folder as C text, an array NAME of TYPE {name, text, length}.
# Scripts, styles and templates lose the blanks at the beginning of their lines: a tenth of their bytes, and no page needs them.
# They are written as arrays of bytes, because a string literal has no line breaks and an end at 4,095 characters.
string(REPLACE "," ";" patterns "${PATTERNS}")
list(TRANSFORM patterns PREPEND "${FOLDER}/")
file(GLOB_RECURSE files RELATIVE ${FOLDER} ${patterns})
list(SORT files)
set(rows "")
set(text "/* Made by cmake/embed.cmake. */\n#include \"${HEADER}\"\n")
set(n 0)
foreach(file ${files})
    file(READ ${FOLDER}/${file} bytes HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    if(file MATCHES "[.](js|css|html)$")
        string(REGEX REPLACE "0x0a,(0x20,)+" "0x0a," bytes "${bytes}")
    endif()
    string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
    string(APPEND text "static const unsigned char file_${n}[] = {${bytes}0};\n")
    string(APPEND rows "    {\"${file}\", (const char *)file_${n}, sizeof(file_${n}) - 1},\n")
    math(EXPR n "${n} + 1")
endforeach()
string(APPEND text "const ${TYPE} ${NAME}[] = {\n${rows}    {0}};\n")
file(WRITE ${OUT} "${text}")
