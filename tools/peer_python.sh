# Sourced by benchmarks and optional tests: the Python for other people's programs.
# shellcheck shell=bash
# Debian's, where python3-torch and python3-sklearn are installed, unless another is named.
python=${OGPT_PEER_PYTHON:-/usr/bin/python3}

# True if a package is installed; else prints what is left out and which package would bring it.
peer_python() { # PACKAGE (torch, sklearn), what is left out
    [[ -x $python ]] && "$python" -c "import numpy, $1" 2>/dev/null && return 0
    echo "$2 skipped: $python has no modules numpy and $1 (packages python3-numpy, python3-$1)"
    return 1
}
