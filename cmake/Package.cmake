# ./dev package: a Debian package by CPack, whose dependencies dpkg-shlibdeps finds. It cannot see the
# two libraries that are loaded at run time (num/blas.c, probes/solvers/liblinear_calls.c).
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_NAME ogpt)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "the ogpt maintainers <maintainers@ogpt.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "world-model laboratory for Othello")
set(CPACK_PACKAGE_DESCRIPTION "Trains small networks on Othello games, reads the board out of them with
linear probes, edits it, and lets the rules of the game judge. Networks for
6x6 and 8x8 are included.")
set(CPACK_PACKAGE_FILE_NAME ogpt_${PROJECT_VERSION}_${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libopenblas0-pthread | libopenblas0, liblinear4")
include(CPack)
