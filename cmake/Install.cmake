# What `cmake --install` puts below the prefix: the program with its pages and completion, the shipped
# networks, and the library with its header and ogpt.pc.
include(GNUInstallDirs)

# libogpt.a: one object with what the functions of library/ogpt.h need; only their names are seen.
file(STRINGS library/ogpt.h promises REGEX "^[a-z].*ogpt_[a-z_]+\\(")
set(rooms ogpt_library)
while(rooms) # and the rooms that it stands on
    list(POP_FRONT rooms room)
    list(APPEND targets ${room})
    list(APPEND archives $<TARGET_FILE:${room}>)
    get_target_property(below ${room} INTERFACE_LINK_LIBRARIES)
    list(FILTER below INCLUDE REGEX "^ogpt_")
    list(REMOVE_ITEM below ${targets} ${rooms})
    list(APPEND rooms ${below})
endwhile()
foreach(line ${promises})
    string(REGEX REPLACE ".*(ogpt_[a-z_]+)\\(.*" "\\1" name "${line}")
    list(APPEND wanted -Wl,-u,${name})
endforeach()
add_custom_command(OUTPUT libogpt.a
    COMMAND ${CMAKE_C_COMPILER} -r -nostdlib -o ogpt_library.o ${wanted} -Wl,--start-group ${archives}
        -Wl,--end-group
    COMMAND ${CMAKE_OBJCOPY} --wildcard --keep-global-symbol=ogpt_* ogpt_library.o
    COMMAND ${CMAKE_COMMAND} -E rm -f libogpt.a
    COMMAND ${CMAKE_AR} rcs libogpt.a ogpt_library.o
    DEPENDS ${targets} library/ogpt.h
    COMMENT "libogpt.a" VERBATIM)
if(OGPT_MPI) # the ranks of its rooms call it
    foreach(file ${MPI_C_LIBRARIES})
        get_filename_component(folder ${file} DIRECTORY)
        get_filename_component(name ${file} NAME_WE)
        string(REGEX REPLACE "^lib" " -L${folder} -l" name ${name})
        string(APPEND pc_mpi ${name})
    endforeach()
endif()
file(RELATIVE_PATH to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/ogpt.pc.in ogpt.pc @ONLY)

# Manual pages and completion are made by the program itself.
add_custom_command(OUTPUT pages/made
    COMMAND ${CMAKE_COMMAND} -DOGPT=$<TARGET_FILE:ogpt> "-DEMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR}"
        -DFOLDER=${CMAKE_BINARY_DIR}/pages -P ${CMAKE_SOURCE_DIR}/cmake/pages.cmake
    DEPENDS ogpt cmake/pages.cmake
    COMMENT "manual pages and completion" VERBATIM)
add_custom_target(installed ALL DEPENDS libogpt.a pages/made)

install(TARGETS ogpt)
install(DIRECTORY ${CMAKE_BINARY_DIR}/pages/ DESTINATION ${CMAKE_INSTALL_DATADIR}
    PATTERN made EXCLUDE)
install(DIRECTORY datasets/models datasets/hypotheses DESTINATION ${CMAKE_INSTALL_DATADIR}/ogpt)
install(FILES README.md LICENSE CHANGELOG.md docs/LIBRARY.md examples/read_board.c
    DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES library/ogpt.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
install(FILES ${CMAKE_BINARY_DIR}/libogpt.a DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(FILES ${CMAKE_BINARY_DIR}/ogpt.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
    COMPONENT development)
