#!/bin/bash
# Make what a user installs, and try it where nothing is installed: ./dev package.
#
# Usage: tools/package.sh
# build/package/ogpt_VERSION_MACHINE.deb: a portable build with Debian's libraries.
# build/package/ogpt-VERSION-MACHINE.tar.gz: a program that needs no library, with networks and pages.
# The package is installed by apt in a Debian system of its own (debootstrap, from the sources that
# apt has here); the other program runs in an empty folder. Both need root. Without root, or if no
# Debian system can be made, this is said and the exit code is 77.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$PWD/build/package
mkdir -p "$folder"

say() {
    printf '== %s\n' "$*"
}

make_build() { # name, options: configure and build below build/package
    local name=$1 launcher=()
    shift
    command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache)
    cmake -S . -B "$folder/$name" -G Ninja -DOGPT_PORTABLE=ON -DOGPT_TESTS=OFF -DOGPT_BENCH=OFF \
        "${launcher[@]}" "$@" >"$folder/$name.log" 2>&1 &&
        ninja -C "$folder/$name" >>"$folder/$name.log" 2>&1 || {
        tail -n 20 "$folder/$name.log" >&2
        return 1
    }
}

say "building with Debian's libraries, and the package"
make_build deb -DCMAKE_INSTALL_PREFIX=/usr
rm -f "$folder"/*.deb
(cd "$folder/deb" && cpack -G DEB -B "$folder" >>"$folder/deb.log" 2>&1) || {
    tail -n 20 "$folder/deb.log" >&2
    exit 1
}
package=$(echo "$folder"/*.deb)
dpkg-deb -f "$package" Package Version Architecture Depends Installed-Size

say "building the program that needs no library"
make_build static -DOGPT_STATIC=ON
name=$(basename "$package" .deb | tr _ - | sed 's/x86-64$/x86_64/')
rm -rf "${folder:?}/$name"
cmake --install "$folder/static" --prefix "$folder/$name" --strip --component Unspecified >/dev/null
tar -C "$folder" -czf "$folder/$name.tar.gz" "$name"
ls -l "$package" "$folder/$name.tar.gz" | awk '{ print $5, $9 }'

# What is tried in both: no network needed, nothing but the program.
trial='set -e
cd /tmp
ogpt version
ogpt doctor
ogpt generate g.ogpc --size 6 --games 400 --quiet
ogpt eval tiny-6x6 --corpus g.ogpc --games 40 --quiet
ogpt probe fit tiny-6x6 --corpus g.ogpc --out p --layers 4 --games 60 --test-games 40 --no-controls --quiet
ogpt probe fit tiny-6x6 --corpus g.ogpc --out q --layers 4 --games 20 --test-games 40 --no-controls --solver liblinear --quiet
ogpt show tiny-6x6 --probe p --moves "e4 e5 b3"
ogpt train t --fresh --size 6 --layers 1 --d-model 32 --heads 2 --batch 16 --steps 20 --quiet
'
((EUID == 0)) || {
    say "not root: neither is tried in a clean system"
    exit 77
}

say "trying $name in an empty folder"
clean=$(mktemp -d "${TMPDIR:-/tmp}/ogpt-clean-XXXXXX")
end() {
    local system
    for system in empty debian; do
        ! mountpoint -q "$clean/$system/proc" || umount "$clean/$system/proc"
    done
    rm -rf --one-file-system "$clean"
}
trap end EXIT
mkdir -p "$clean/empty/tmp" "$clean/empty/proc" "$clean/debian/proc"
mount -t proc none "$clean/empty/proc" # how the program finds the networks beside it
tar -C "$clean/empty" --strip-components 1 -xzf "$folder/$name.tar.gz"
for line in $(seq 3 "$(wc -l <<<"$trial")"); do # no shell in there: one command at a time
    words=$(sed -n "${line}p" <<<"$trial")
    [[ -n $words ]] || continue
    eval "set -- ${words#ogpt }"
    chroot "$clean/empty" /bin/ogpt "$@" >"$clean/out" 2>&1 || {
        cat "$clean/out" >&2
        say "FAILED in an empty folder: $words"
        exit 1
    }
    say "ok: $words"
done

say "trying $(basename "$package") in a Debian system with nothing more"
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
    awk -v suite="$suite" '$2 == suite { print $1; exit }')
if ! debootstrap --variant=minbase "$suite" "$clean/debian" "$mirror" >"$folder/debootstrap.log" 2>&1; then
    tail -n 3 "$folder/debootstrap.log" >&2
    say "no Debian system can be made here: the package is not tried"
    exit 77
fi
cp -rL /etc/apt/. "$clean/debian/etc/apt/"
cp /etc/resolv.conf /etc/hosts "$clean/debian/etc/" 2>/dev/null || true
cp "$package" "$clean/debian/tmp/ogpt.deb"
mount -t proc none "$clean/debian/proc"
{
    chroot "$clean/debian" apt-get -q update
    chroot "$clean/debian" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
        --no-install-recommends /tmp/ogpt.deb
} >"$folder/install.log" 2>&1 || {
    tail -n 10 "$folder/install.log" >&2
    exit 1
}
sed -n '/NEW packages/,/^[^ ]/p' "$folder/install.log"
chroot "$clean/debian" sh -c "$trial" >"$clean/out" 2>&1 || {
    cat "$clean/out" >&2
    say "FAILED: see above"
    exit 1
}
sed -n '/true board/,$p' "$clean/out" | head -8
say "both run where nothing else is installed"
