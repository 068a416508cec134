#!/bin/bash
# Build the tree for 64-bit Arm and run its quick unit tests under qemu-user: ./dev arm.
#
# Usage: tools/arm.sh [CTEST ARGUMENTS]
# The Arm libraries are Debian packages of the sources that apt is configured with, fetched with a
# package list of their own and unpacked below build/arm: nothing is installed or configured on this
# system. The cross compiler and qemu-user are installed by ./dev. Tests that are scripts are left
# out: they run the program by itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$PWD/build/arm
root=$folder/root
packages='libc6 libgcc-s1 libstdc++6 libgfortran5 libopenblas0-pthread libopenblas-pthread-dev
    libopenblas-dev liblinear4 liblinear-dev libsqlite3-0 libsqlite3-dev libjansson4 libjansson-dev
    libxxhash0 libxxhash-dev libmd0 libmd-dev libcmocka0 libcmocka-dev librandom123-dev'

if [[ ! -f $root/complete ]]; then
    mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial" "$folder/debs" "$root"
    as_arm=(-q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root
        -o Dir::State="$folder/apt" -o Dir::State::status=/dev/null -o Dir::Cache="$folder/apt")
    apt-get "${as_arm[@]}" update >"$folder/apt.log" 2>&1
    # shellcheck disable=SC2086
    (cd "$folder/debs" && apt-get "${as_arm[@]}" download $packages >>"$folder/apt.log" 2>&1)
    for package in "$folder"/debs/*.deb; do
        dpkg-deb -x "$package" "$root"
    done
    touch "$root/complete"
fi
launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache)
cmake -S . -B "$folder/release" -G Ninja -DOGPT_CAIRO=OFF -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/arm64.cmake" \
    -DOGPT_ARM_ROOT="$root" -DOGPT_WERROR=ON -DOGPT_BENCH=OFF "${launcher[@]}" \
    >"$folder/configure.log" || {
    cat "$folder/configure.log"
    exit 1
}
ninja --quiet -C "$folder/release"
OGPT_EMULATED=1 ctest --test-dir "$folder/release" --parallel 2 -L 'quick|counted' -R '/test_' \
    --output-on-failure --no-tests=error "$@"
