#!/usr/bin/env bash
# An arm64 Python with what the device side needs, run under user-mode emulation. No root is needed.
#
#     tests/arm64/setup.sh FOLDER        leaves FOLDER/python, which is used like any other python
#
# It takes Debian's packages of another architecture with an apt of its own lists, and wheels by pip. Needs
# apt-get and dpkg of Debian, and pip of Python 3.11 or later. Ends with 75 where Debian's packages cannot be had.
set -euo pipefail
FOLDER=${1:?a folder to make}
PIP=${PIP:-python3 -m pip}
RELEASE=${RELEASE:-bookworm}
unavailable() {
  echo "$0: $1" >&2
  exit 75
}
command -v apt-get >/dev/null && command -v dpkg >/dev/null || unavailable "apt-get and dpkg are not here"
# Packages come from where this machine's own come from.
MIRROR=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | sed -n 1p)}
if [ -z "$MIRROR" ]; then
  unavailable "apt-get knows no source of packages: run it on Debian, or name a Debian archive in MIRROR"
fi
HERE=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$FOLDER"/{apt/state/lists/partial,apt/cache/archives/partial,debs,root,site}
FOLDER=$(cd "$FOLDER" && pwd)

touch "$FOLDER/apt/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $MIRROR $RELEASE main" >"$FOLDER/apt/sources.list"
cat >"$FOLDER/apt/apt.conf" <<CONF
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "";
Dir::State "$FOLDER/apt/state";
Dir::State::status "$FOLDER/apt/status";
Dir::Cache "$FOLDER/apt/cache";
Dir::Etc::SourceList "$FOLDER/apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
CONF
export APT_CONFIG="$FOLDER/apt/apt.conf"
apt-get -qq update || unavailable "the lists of $MIRROR cannot be had"
(
  cd "$FOLDER/debs"
  apt-get -qq download python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libstdc++6 libgcc-s1 \
    libgomp1 libexpat1 zlib1g libc6 libffi8 libssl3 libbz2-1.0 liblzma5 libsqlite3-0 libuuid1
) || unavailable "the packages of an arm64 Python cannot be had from $MIRROR"
for deb in "$FOLDER"/debs/*.deb; do dpkg -x "$deb" "$FOLDER/root"; done

if ! command -v qemu-aarch64-static >/dev/null; then
  unset APT_CONFIG # the emulator is of the architecture that we run on
  (cd "$FOLDER" && apt-get -qq -o APT::Sandbox::User= download qemu-user-static) ||
    unavailable "the package qemu-user-static cannot be had"
  dpkg -x "$FOLDER"/qemu-user-static_*.deb "$FOLDER/qemu"
fi
QEMU=$(command -v qemu-aarch64-static || echo "$FOLDER/qemu/usr/bin/qemu-aarch64-static")

# The wheels of an aarch64 device; hypothesis and pytest are plain Python.
$PIP install --quiet --disable-pip-version-check --target "$FOLDER/site" --upgrade --only-binary=:all: \
  --python-version 3.11 --implementation cp --abi cp311 --abi abi3 --abi none \
  --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 --platform manylinux_2_17_aarch64 \
  --platform manylinux2014_aarch64 --constraint "$HERE/../../constraints.txt" \
  numpy ai-edge-litert backports.strenum soundfile soxr mido tqdm cffi pytest hypothesis

# ai-edge-litert from 2.2 on reads the sizes of caches from the machine's /sys, which are not those of the
# processor that is emulated, and crashes. The emulator looks below its prefix first: empty files hide them.
for core in $(seq 0 $(($(nproc --all) - 1))); do
  for index in 0 1 2 3; do
    cache="$FOLDER/root/sys/devices/system/cpu/cpu$core/cache/index$index"
    mkdir -p "$cache"
    for file in level size shared_cpu_list; do : >"$cache/$file"; done
  done
done

cat >"$FOLDER/python" <<WRAPPER
#!/bin/sh
# An arm64 Python under emulation; programs that it starts as sys.executable are emulated as well.
export QEMU_CPU=\${QEMU_CPU:-cortex-a72} PYTHONHOME="$FOLDER/root/usr" PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH="$FOLDER/site\${PYTHONPATH:+:\$PYTHONPATH}" DDSP_PYTHON="$FOLDER/python" LD_LIBRARY_PATH=
exec \${QEMU:-"$QEMU"} -L "$FOLDER/root" "$FOLDER/root/usr/bin/python3.11" "\$@"
WRAPPER
chmod +x "$FOLDER/python"
"$FOLDER/python" -c "import platform, numpy, ai_edge_litert.interpreter; print(platform.machine(), numpy.__version__)"
