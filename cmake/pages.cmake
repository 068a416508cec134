# cmake -DOGPT=PROGRAM -DFOLDER=FOLDER -P pages.cmake: manual pages and completion, in the folders that
# a prefix has below share/. The page of the program names those of the commands.
function(page file)
    execute_process(COMMAND ${EMULATOR} ${OGPT} ${ARGN} OUTPUT_FILE ${FOLDER}/${file}
        RESULT_VARIABLE code)
    if(code)
        message(FATAL_ERROR "ogpt ${ARGN}: ${code}")
    endif()
endfunction()
file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER}/man/man1 ${FOLDER}/bash-completion/completions
    ${FOLDER}/zsh/site-functions ${FOLDER}/fish/vendor_completions.d)
page(man/man1/ogpt.1 help --man)
file(STRINGS ${FOLDER}/man/man1/ogpt.1 names REGEX "^[.]BR ogpt")
foreach(name ${names})
    string(REGEX REPLACE "^[.]BR ogpt..(.*) .1.$" "\\1" name "${name}")
    string(REPLACE "\\-" "-" name "${name}")
    page(man/man1/ogpt-${name}.1 help --man ${name})
endforeach()
page(bash-completion/completions/ogpt completion bash)
page(zsh/site-functions/_ogpt completion zsh)
page(fish/vendor_completions.d/ogpt.fish completion fish)
file(TOUCH ${FOLDER}/made)
