# The toolchain file of ./dev arm: a cross compiler of Debian, libraries unpacked into a folder
# (tools/arm.sh), and qemu-user for what is built.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES OGPT_ARM_ROOT)
set(CMAKE_FIND_ROOT_PATH ${OGPT_ARM_ROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(arm_libraries usr/lib/aarch64-linux-gnu)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,-rpath-link=${OGPT_ARM_ROOT}/${arm_libraries}")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L ${OGPT_ARM_ROOT}
    -E LD_LIBRARY_PATH=/${arm_libraries}/openblas-pthread)
