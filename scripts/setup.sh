# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by scripts/demo and scripts/test: the Debian packages they need, and one configured build
# folder. The caller has set `top` to the source folder.

BUILD_PACKAGES=(
  gcc libc6-dev make autoconf automake libtool pkgconf
  libuv1-dev libsodium-dev libmsgpack-dev libinih-dev libsystemd-dev uthash-dev libcunit1-dev
  python3
)
TEST_PACKAGES=(
  git clang libclang-rt-dev clang-format pyflakes3 valgrind libc6-dbg binutils procps mandoc xz-utils passwd util-linux
  systemd
  openssh-client python3-cryptography python3-dissononce python3-msgpack golang-github-flynn-noise-dev
  dbus dbus-x11 python3-dbus python3-gi dunst zenity xvfb xdotool imagemagick openbox tmux
  x11-utils at-spi2-core gir1.2-atspi-2.0
)
# For tests/lab, which installs the rest in trees of its own.
LAB_PACKAGES=(
  debootstrap systemd-container iproute2 openssh-client mount python3-dbus python3-gi python3-msgpack
)

# Prints those of the packages given that are not installed.
missing_packages() {
  local package
  for package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      echo "$package"
  done
}

# Installs the missing ones of the packages given, naming them first.
need_packages() {
  local missing as_root=()
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This is not Debian; what Debian calls ${missing[*]} is needed." >&2
    return 1
  fi
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "Debian packages are missing, and there is no sudo here. As root, install them with:" >&2
      echo "  apt-get install ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "These Debian packages will be installed: ${missing[*]}"
  as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends)
  # Fresh images have no package lists, old ones have stale ones: only then they are fetched.
  if ! "${as_root[@]}" install "${missing[@]}" </dev/null >"$top/build/apt.log" 2>&1; then
    "${as_root[@]}" update </dev/null >>"$top/build/apt.log" 2>&1
    if ! "${as_root[@]}" install "${missing[@]}" </dev/null >>"$top/build/apt.log" 2>&1; then
      tail -n 20 "$top/build/apt.log" >&2
      echo "Installing them failed; what apt-get said is in build/apt.log." >&2
      return 1
    fi
  fi
}

# configured FOLDER COMPILER [OPTION...]: build/FOLDER, configured and up to date.
configured() {
  local folder=$top/build/$1 compiler=$2
  shift 2
  # Anew as a whole when a source of it changed: a new kind of rule may need a new helper file.
  if [ ! -x "$top/configure" ] || [ "$top/configure.ac" -nt "$top/Makefile.in" ] ||
    [ "$top/Makefile.am" -nt "$top/Makefile.in" ]; then
    (cd "$top" && autoreconf -fi)
  fi
  # Objects do not depend on the flags that configure chose: other flags, another folder.
  [ ! "$top/configure.ac" -nt "$folder/config.status" ] || rm -rf "$folder"
  mkdir -p "$folder"
  if [ ! -f "$folder/Makefile" ] || [ "$top/configure" -nt "$folder/Makefile" ]; then
    (cd "$folder" && "$top/configure" -q CC="$compiler" "$@")
  fi
}
